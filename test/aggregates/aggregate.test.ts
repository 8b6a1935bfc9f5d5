import { describe, expect, it } from 'vitest';
import { accumulatorOf, aggregateProblems, retractionProblems } from '../../src/aggregates/accumulator.js';
import { aggregate, count, distinctCount, last, quantile, sum } from '../../src/aggregates/index.js';

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
