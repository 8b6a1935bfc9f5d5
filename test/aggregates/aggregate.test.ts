import { describe, expect, it } from 'vitest';
import { accumulatorOf, aggregateProblems, retractionProblems } from '../../src/aggregates/accumulator.js';
import { aggregate, count, distinctCount, last, quantile, sum } from '../../src/aggregates/index.js';
import { logLoss, rocAuc, scoreHistogram } from '../../src/ml/metrics/index.js';

interface Trip {
  readonly distance: number;
  readonly station: string;
}

const longest = aggregate({
  name: 'longest',
  create: () => ({ distance: 0, stations: [] as string[] }),
  add: (acc, trip: Trip) =>
    trip.distance > acc.distance ? { distance: trip.distance, stations: [...acc.stations, trip.station] } : acc,
  merge: (acc, other) => (other.distance > acc.distance ? other : acc),
  result: ({ stations }) => stations.at(-1) ?? null,
});

describe('aggregate', () => {
  it('runs beside the others, each in its own place, results in the order of their names', () => {
    const accumulator = accumulatorOf<Trip>({
      longest,
      trips: count(),
      distance: sum((trip: Trip) => trip.distance),
      station: last((trip: Trip) => trip.station),
    });
    const numbers = new Float64Array(3 * accumulator.numbers);
    const values: unknown[] = [];
    for (const place of [0, 1, 2])
      accumulator.init(numbers, place * accumulator.numbers, values, place * accumulator.values);
    const add = (place: number, trip: Trip, timeMs: number) =>
      accumulator.add(numbers, place * accumulator.numbers, values, place * accumulator.values, trip, timeMs);
    add(0, { distance: 2, station: 'a' }, 1);
    add(2, { distance: 5, station: 'b' }, 2);
    add(2, { distance: 3, station: 'c' }, 3);
    const [n, v] = [accumulator.numbers, accumulator.values];
    accumulator.merge(numbers, 0, values, 0, numbers, 2 * n, values, 2 * v);
    const row: Record<string, unknown> = {};
    accumulator.results(row, numbers, 0, values, 0);
    expect(row).toEqual({ longest: 'b', trips: 3, distance: 10, station: 'c' });
    expect(Object.keys(row)).toEqual(['longest', 'trips', 'distance', 'station']);
    const untouched: Record<string, unknown> = {};
    accumulator.results(untouched, numbers, n, values, v);
    expect(untouched).toEqual({ longest: null, trips: 0, distance: 0, station: null });
  });

  it('lies in an array of its own if it has many numbers, unless all may share one', () => {
    const metrics = { scores: scoreHistogram({ bins: 40 }), loss: logLoss(), auc: rocAuc({ bins: 40 }) };
    const rows = Array.from({ length: 60 }, (_, i) => ({ prediction: i / 60, label: i % 3 === 0 }));
    const [apart, together] = [{}, { sharedMax: 100 }].map((options) => {
      const accumulator = accumulatorOf(metrics, options);
      const numbers = new Float64Array(1 + accumulator.numbers);
      const values: unknown[] = [];
      accumulator.init(numbers, 1, values, 0);
      for (const row of rows) accumulator.addEach([numbers], 1, [values], 1, row, 0);
      accumulator.retract(numbers, 1, values, 0, rows[7] as (typeof rows)[number], 0);
      const results: Record<string, unknown> = {};
      accumulator.results(results, numbers, 1, values, 0);
      return { values: values.length, results, sums: accumulator.sums(numbers, 1, values, 0) };
    });
    expect(apart?.values).toBe(2);
    expect(together).toEqual({ ...apart, values: 0 });
    expect(apart?.sums.auc).toHaveLength(83);
  });

  it('says which aggregates cannot take values back, and what is wrong with each', () => {
    const ofTrip = (trip: Trip) => trip.distance;
    const some = { trips: count<Trip>(), far: quantile(ofTrip, 2), stations: distinctCount(ofTrip), longest };
    expect(accumulatorOf(some).retracts).toBe(false);
    expect(accumulatorOf({ trips: count<Trip>(), distance: sum(ofTrip) }).retracts).toBe(true);
    expect(retractionProblems(some).map(({ message }) => message)).toEqual([
      'stations: distinct-count cannot retract',
      'longest: aggregate cannot retract',
    ]);
    expect(aggregateProblems(some).map(({ message }) => message)).toEqual(['far: a quantile at 2']);
    expect(aggregate({ ...counting, name: '' }).problems).toHaveLength(1);
  });

  it('takes values back where it says how', () => {
    const accumulator = accumulatorOf<Trip>({ of: aggregate(counting) });
    expect(accumulator.retracts).toBe(true);
    const values: unknown[] = [];
    accumulator.init([], 0, values, 0);
    const trip = { distance: 1, station: 'a' };
    accumulator.add([], 0, values, 0, trip, 0);
    accumulator.add([], 0, values, 0, trip, 0);
    accumulator.retract([], 0, values, 0, trip, 0);
    expect(values).toEqual([1]);
  });
});

const counting = {
  name: 'counting',
  create: () => 0,
  add: (n: number, _: Trip) => n + 1,
  merge: (a: number, b: number) => a + b,
  result: (n: number) => n,
  retract: (n: number) => n - 1,
};
