import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeatureNumbers, Learner } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { logisticRegression, sgd } from '../../../src/ml/index.js';
import { impute } from '../../../src/operators/quality/impute.js';
import { type Float64Cell, float64Cell } from '../../../src/state/index.js';
import { checkOperator, type Driven, driveOperator } from '../../../src/testing/operator-contract.js';
import { openAfter } from '../restored.js';

interface Trip {
  readonly distance?: number | null;
  readonly from: string | null;
}
const trips = (...distances: (number | null | undefined)[]) =>
  distances.map((distance) => ({ value: { distance, from: 'ATL' } }));
const filled = (operator: Driven, ...distances: (number | null | undefined)[]) =>
  driveOperator(operator, trips(...distances)).emitted.map(({ value }) => (value as Trip).distance);

interface Flight {
  readonly distance?: number | null;
  readonly from?: string | null;
  readonly a?: number | null;
  readonly b?: number | null;
  readonly late?: boolean | null;
}
const byGroup = (use: 'last' | 'mean' | 'median' | 'mode', options: { window?: number; fallback?: number } = {}) => {
  const rule = { use, by: (flight: Flight) => flight.from, groupsMax: 3, ...options };
  return impute<Flight, { distance: typeof rule }>({ distance: rule });
};
const nearestTwo = { distance: { use: 'nearest', of: ['a', 'b'], neighbors: 2, window: 4 } } as const;
/** Learns `distance = w a` by gradient steps: enough of a model to see that it is asked and taught. */
const proportional: Learner<number, number> = {
  kind: 'proportional',
  settings: {},
  output: 'number',
  cells: () => ({ weight: float64Cell({ size: 1, block: 1 }) }),
  open: (cells) => {
    const weight = cells.weight as Float64Cell;
    const predictOne = ({ dense }: FeatureNumbers) => (weight.values[0] as number) * (dense[0] as number);
    return {
      predictOne,
      learnOne(features, label) {
        const x = features.dense[0] as number;
        if (!Number.isFinite(x)) return 'not-finite';
        weight.values[0] = (weight.values[0] as number) + (0.5 * (label - predictOne(features)) * x) / (1 + x * x);
        weight.touch(0);
        return 'learnt';
      },
    };
  },
};
const view = featureView({
  name: 'of-a',
  version: 1,
  columns: { a: (flight: Flight) => flight.a },
  features: { a: numeric('a') },
});
const byModel = { distance: { use: 'model', learner: proportional, view, warmUp: 3 } } as const;

const rules = {
  mean: impute<Trip, { distance: 'mean' }>({ distance: 'mean' }),
  median: impute<Trip, { distance: 'median' }>({ distance: 'median' }),
  window: impute<Trip, { distance: { use: 'median'; window: 3 } }>({ distance: { use: 'median', window: 3 } }),
  last: impute<Trip, { distance: 'last'; from: 'last' }>({ distance: 'last', from: 'last' }),
  constant: impute<Trip, { distance: { constant: 7 }; from: { constant: '?' } }>({
    distance: { constant: 7 },
    from: { constant: '?' },
  }),
  mode: impute<Trip, { distance: 'mode'; from: 'mode' }>({ distance: 'mode', from: 'mode' }),
  computed: impute<Trip, { distance: { from: (trip: Trip) => number } }>({
    distance: { from: (trip) => trip.from?.length ?? 0 },
  }),
  group: byGroup('median'),
  groupMean: byGroup('mean'),
  groupMode: byGroup('mode', { window: 2 }),
  groupLast: byGroup('last'),
  nearest: impute<Flight, typeof nearestTwo>(nearestTwo),
  model: impute<Flight, typeof byModel>(byModel),
  fallback: impute<Trip, { distance: { use: 'mean'; fallback: 5 } }>({ distance: { use: 'mean', fallback: 5 } }),
};

const flights = (...values: Flight[]) => values.map((value) => ({ value }));
const distances = (operator: Driven, ...values: Flight[]) => {
  const run = driveOperator(operator, flights(...values));
  expect(run.failure).toBe(undefined);
  return run.emitted.map(({ value }) => (value as Flight).distance);
};

describe('impute', () => {
  it.each(Object.entries(rules))('keeps the operator contract: %s', (_, operator) => {
    checkOperator(
      operator,
      trips(null, 3, 1, null, Number.NaN, 1e300, -1, undefined, 2, Number.POSITIVE_INFINITY, null),
      { stateBytesMax: 10_000 },
    );
  });

  it.each(['group', 'groupMean', 'groupMode', 'groupLast', 'nearest', 'model'] as const)(
    'keeps the contract where other fields count: %s',
    (name) => {
      const samples = Array.from({ length: 16 }, (_, i) => ({
        a: i % 4 === 3 ? null : i,
        b: i % 5 === 1 ? null : (i * 7) % 5,
        from: ['A', 'B', 'C', 'D', null][i % 5] ?? null,
        distance: i % 3 === 2 ? null : (i * 5) % 7,
      }));
      expect(driveOperator(rules[name], flights(...samples)).failure).toBe(undefined);
      checkOperator(rules[name], flights(...samples), { stateBytesMax: 10_000 });
    },
  );

  it('keeps the contract over a full window', () => {
    const distance = fc.option(fc.double(), { freq: 3 });
    fc.assert(
      fc.property(fc.array(distance, { maxLength: 25 }), (distances) =>
        checkOperator(rules.window, trips(...distances)),
      ),
      { numRuns: 50 },
    );
  });

  it('fills in the mean of what was seen', () =>
    expect(filled(rules.mean, 1, 2, null, 6, null)).toEqual([1, 2, 1.5, 6, 3]));

  it('the mean is that of a plain sum, and extremes do not break it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        expect(filled(rules.mean, ...values, null).at(-1)).toBeCloseTo(mean, 4);
      }),
    );
    expect(filled(rules.mean, 1.7e308, -1.7e308, 1.7e308, null).at(-1)).toBeLessThan(1e308);
  });

  it('fills in the most frequent value, of equally frequent ones the latest', () => {
    expect(filled(rules.mode, 1, 2, 2, 3, null, 3, null, 1, null)).toEqual([1, 2, 2, 3, 2, 3, 3, 1, 1]);
    const value = fc.option(fc.integer({ min: 0, max: 3 }), { freq: 4 });
    const window = impute<Trip, { distance: { use: 'mode'; window: 5 } }>({ distance: { use: 'mode', window: 5 } });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const seen: number[] = [];
        const expected = values.flatMap((value) => {
          if (value !== null) {
            seen.push(value);
            return [value];
          }
          const kept = seen.slice(-5);
          const count = (of: number) => kept.filter((other) => other === of).length;
          const most = Math.max(...kept.map(count));
          const mode = kept.findLast((other) => count(other) === most);
          return mode === undefined ? [] : [mode];
        });
        expect(filled(window, ...values)).toEqual(expected);
      }),
    );
  });

  it('takes times and objects that hold the same for one value', () => {
    const records = [1, 2, 1, 2, 2, 3].map((at) => ({ of: 'A', at: new Date(at) as Date | null }));
    const missing = { of: 'A', at: null };
    const by = (record: (typeof records)[number]) => record.of;
    for (const rule of ['mode', { use: 'mode', by, groupsMax: 3 }] as const) {
      const operator = impute<(typeof records)[number], { at: typeof rule }>({ at: rule });
      const all = [...records, missing].map((value, eventTimeMs) => ({ value, eventTimeMs }));
      expect(driveOperator(operator, all).emitted.at(-1)?.value).toEqual({ of: 'A', at: new Date(2) });
      checkOperator(operator, all);
    }
  });

  it('fills in by group; of a new group as all records say', () => {
    const atl = (distance: number | null) => ({ from: 'ATL', distance });
    const bos = (distance: number | null) => ({ from: 'BOS', distance });
    const none = { from: null, distance: null };
    const values = [atl(1), atl(2), atl(6), bos(null), bos(90), bos(null), atl(null), none];
    expect(distances(byGroup('mean'), ...values)).toEqual([1, 2, 6, 3, 90, 90, 3, 24.75]);
    expect(distances(byGroup('median'), ...values)).toEqual([1, 2, 6, 2, 90, 90, 2, 4]);
    expect(distances(byGroup('last'), ...values)).toEqual([1, 2, 6, 6, 90, 90, 6, 90]);
    expect(distances(byGroup('mode'), ...values, atl(1), atl(null))).toEqual([1, 2, 6, 6, 90, 90, 6, 90, 1, 1]);
    expect(distances(byGroup('median', { window: 2 }), atl(1), atl(5), atl(7), atl(null))).toEqual([1, 5, 7, 6]);
    expect(distances(byGroup('mean', { fallback: 8 }), atl(null), bos(Number.NaN))).toEqual([8, 8]);
  });

  it('forgets the group written longest ago beyond groupsMax', () => {
    const of = (from: string, distance: number | null) => ({ from, distance });
    const values = [of('A', 1), of('B', 2), of('C', 3), of('D', 4), of('A', null), of('D', null)];
    expect(distances(byGroup('last'), ...values)).toEqual([1, 2, 3, 4, 4, 4]); // A's own value is gone: the last of all
  });

  it('a median of a group is that of its last values, whatever comes between', () => {
    const record = fc.record({ from: fc.constantFrom('A', 'B'), distance: fc.option(fc.integer({ min: -9, max: 9 })) });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const kept = new Map<string, number[]>();
        const all: number[] = [];
        const expected = records.flatMap(({ from, distance }) => {
          if (distance !== null) {
            kept.set(from, [...(kept.get(from) ?? []), distance]);
            all.push(distance);
            return [distance];
          }
          const values = [...(kept.get(from)?.slice(-4) ?? all.slice(-4))].sort((a, b) => a - b);
          return values.length === 0
            ? []
            : [((values[(values.length - 1) >> 1] as number) + (values[values.length >> 1] as number)) / 2];
        });
        expect(distances(byGroup('median', { window: 4 }), ...records)).toEqual(expected);
      }),
    );
  });

  it('fills in by nearest neighbours: the numbers of scikit-learn', () => {
    // KNNImputer(n_neighbors=2).fit_transform([[1, 2, nan], [3, 4, 3], [nan, 6, 5], [8, 8, 7]]) fills in 4 and 5.5
    const plain = { use: 'nearest', neighbors: 2, scale: 'none' } as const;
    const first = impute<Flight, object>({ distance: { ...plain, of: ['a', 'b'] } });
    expect(
      distances(
        first,
        { a: 3, b: 4, distance: 3 },
        { a: null, b: 6, distance: 5 },
        { a: 8, b: 8, distance: 7 },
        { a: 1, b: 2, distance: null },
      ).at(-1),
    ).toBe(4);
    expect(
      distances(
        first,
        { a: 2, b: null, distance: 1 },
        { a: 4, b: 3, distance: 3 },
        { a: 8, b: 7, distance: 8 },
        { a: 6, b: 5, distance: null },
      ).at(-1),
    ).toBe(5.5);
  });

  it('refuses neighbours that were kept by other fields', () => {
    const nearest = (...of: ('a' | 'b')[]) => impute<Flight, object>({ distance: { use: 'nearest', of } });
    const samples = [{ value: { a: 1, b: 2, distance: 3 } }];
    expect(() => openAfter(nearest('a', 'b'), samples, nearest('a', 'b'))).not.toThrow();
    expect(() => openAfter(nearest('a', 'b'), samples, nearest('b', 'a'))).toThrow(/other settings/);
  });

  it('nearest neighbours are those of a sort by distance', () => {
    const field = fc.option(fc.integer({ min: -5, max: 5 }), { freq: 4 });
    fc.assert(
      fc.property(fc.array(fc.record({ a: field, b: field, distance: field }), { maxLength: 30 }), (records) => {
        const kept: { a: number | null; b: number | null; distance: number }[] = [];
        const expected = records.flatMap(({ a, b, distance }) => {
          if (distance !== null) {
            kept.push({ a, b, distance });
            return [distance];
          }
          const window = kept.slice(-4);
          const range = (of: 'a' | 'b') => {
            const values = window.flatMap((row) => row[of] ?? []);
            return Math.max(...values) - Math.min(...values) || 1;
          };
          const apart = window.flatMap((row, at) => {
            const parts = (['a', 'b'] as const).flatMap((of) => {
              const [x, y] = [of === 'a' ? a : b, row[of]];
              return x === null || y === null ? [] : [((x - y) / range(of)) ** 2];
            });
            return parts.length === 0
              ? []
              : [{ far: (parts.reduce((s, p) => s + p, 0) * 2) / parts.length, at, distance: row.distance }];
          });
          const near = apart
            .sort((p, q) => (Math.abs(p.far - q.far) < 1e-12 ? q.at - p.at : p.far - q.far))
            .slice(0, 2);
          return near.length === 0 ? [] : [near.reduce((s, n) => s + n.distance, 0) / near.length];
        });
        distances(rules.nearest, ...records).forEach((distance, i) => {
          expect(distance).toBeCloseTo(expected[i] as number, 9);
        });
      }),
    );
  });

  it('asks a model once it has learnt from enough records', () => {
    const known = Array.from({ length: 40 }, (_, i) => ({ a: (i % 5) + 1, distance: 3 * ((i % 5) + 1) }));
    expect(distances(rules.model, ...known, { a: 10, distance: null }).at(-1)).toBeCloseTo(30, 3);
    const early = driveOperator(rules.model, flights(...known.slice(0, 2), { a: 1, distance: null }));
    expect(early.deadLetters.map(({ reason }) => reason)).toEqual(['nothing-to-impute']);
    const strange = driveOperator(rules.model, flights(...known, { a: null, distance: null }));
    expect(strange.deadLetters).toHaveLength(1); // the prediction is NaN
  });

  it('fills in a flag by a model of its probability', () => {
    const learner = logisticRegression({ optimizer: sgd({ rate: 0.5 }) });
    const rule = { late: { use: 'model', learner, view, warmUp: 10 } } as const;
    const known = Array.from({ length: 200 }, (_, i) => ({ a: i % 2 ? 1 : -1, late: i % 2 === 1 }));
    const run = driveOperator(impute<Flight, typeof rule>(rule), flights(...known, { a: 2, late: null }, { a: -2 }));
    expect(run.emitted.slice(-2).map(({ value }) => (value as Flight).late)).toEqual([true, false]);
  });

  it('fills in what a function makes of the record as it came, else the fallback', () => {
    const rule = {
      a: 'last',
      distance: { from: (flight: Flight) => (flight.a ? 2 * flight.a : Number.NaN), fallback: -1 },
    } as const;
    const run = driveOperator(impute<Flight, typeof rule>(rule), flights({ a: 4 }, { a: null }));
    expect(run.emitted.map(({ value }) => value)).toEqual([
      { a: 4, distance: 8 },
      { a: 4, distance: -1 },
    ]);
  });

  it('fills in the median of the last values', () => {
    expect(filled(rules.median, 9, 1, null, 5, null)).toEqual([9, 1, 5, 5, 5]);
    expect(filled(rules.window, 100, 1, 2, 3, null)).toEqual([100, 1, 2, 3, 2]);
    const many = Array.from({ length: 1_002 }, (_, i) => i);
    expect(filled(rules.median, ...many, null).at(-1)).toBe(501); // of 1 to 1001
  });

  it('fills in the last value, of any kind', () => {
    const { emitted } = driveOperator(rules.last, [
      { value: { distance: 1, from: 'ATL' } },
      { value: { distance: null, from: null } },
    ]);
    expect(emitted[1]?.value).toEqual({ distance: 1, from: 'ATL' });
  });

  it('fills in a constant, and a fallback only while nothing was seen', () => {
    expect(filled(rules.constant, null, 1, null)).toEqual([7, 1, 7]);
    expect(filled(rules.fallback, null, 1, null)).toEqual([5, 1, 1]);
  });

  it('takes NaN for missing, and learns neither from infinities nor from what it filled in', () => {
    expect(filled(rules.mean, 4, Number.NaN, Number.POSITIVE_INFINITY, null)).toEqual([
      4,
      4,
      Number.POSITIVE_INFINITY,
      4,
    ]);
    expect(filled(rules.window, 1, null, null, null, 3, 3, null)).toEqual([1, 1, 1, 1, 3, 3, 3]);
  });

  it('sends what it cannot fill to the dead letters', () => {
    const { emitted, deadLetters, counters } = driveOperator(rules.median, trips(null, 5, null));
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'nothing-to-impute: distance is null, and there is nothing to go by',
    ]);
    expect([emitted.length, counters]).toEqual([2, { imputed: 1 }]);
  });

  it('passes a whole record on as it is, and copies one that it fills', () => {
    const whole = { value: { distance: 1, from: 'ATL' } };
    const holed = { value: { distance: null, from: null } };
    const { emitted, counters } = driveOperator(rules.last, [whole, holed]);
    expect(emitted[0]?.value).toBe(whole.value);
    expect(holed.value).toEqual({ distance: null, from: null });
    expect(counters).toEqual({ imputed: 2 });
  });

  it('is described by its rules, and says what is wrong with them', () => {
    expect(rules.median.settings).toEqual({ distance: 'median of the last 1001' });
    expect(rules.fallback.settings).toEqual({ distance: 'mean, else 5' });
    expect(rules.constant.settings).toEqual({ distance: 'constant 7', from: 'constant ?' });
    expect(rules.median.problems).toEqual([]);
    expect(rules.group.settings).toEqual({ distance: 'median of the last 101 by group, of 3' });
    expect(rules.groupMean.settings).toEqual({ distance: 'mean by group, of 3' });
    expect(rules.nearest.settings).toEqual({ distance: 'mean of the 2 nearest of the last 4 by a, b' });
    expect(rules.model.settings).toEqual({ distance: `proportional over of-a ${view.hash} after 3` });
    expect(rules.computed.settings).toEqual({ distance: 'computed' });
    const problems = (rule: object) =>
      impute<Flight, object>({ distance: rule }).problems?.map(({ message }) => message);
    expect(problems({ use: 'mean', by: () => 'x' })).toEqual(['distance: groupsMax is 0']);
    expect(problems({ use: 'mean', by: () => 'x', groupsMax: 1, window: 1 })).toEqual([]);
    expect(problems({ use: 'nearest', of: [], neighbors: 0 })).toHaveLength(2);
    expect(problems({ use: 'nearest', of: ['a'], neighbors: 1, window: 1 })).toEqual([]);
    expect(problems({ use: 'mode', window: 1.5 })).toHaveLength(1);
    expect(problems({ use: 'model' })).toHaveLength(1);
    expect(problems({ ...byModel.distance, warmUp: Number.NaN })).toEqual(['distance: warmUp is NaN']);
    expect(
      impute<Trip, { distance: { use: 'median'; window: number } }>({ distance: { use: 'median', window: 0 } })
        .problems,
    ).toHaveLength(1);
  });
});
