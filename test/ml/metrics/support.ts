import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import { accumulatorOf } from '../../../src/aggregates/accumulator.js';
import type { Aggregate } from '../../../src/aggregates/index.js';
import type { Labelled } from '../../../src/ml/metrics/labelled.js';
import { checkAggregate } from '../../../src/testing/aggregate-contract.js';
import { merged, resultOf, Summary } from '../../aggregates/summary.js';

type Kind = 'binary' | 'class' | 'number' | 'ranking';

/** A batch of the golden file that `benchmarks/peers/metrics.py` writes. */
export interface Batch {
  readonly kind: Kind;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly rows: readonly Labelled<never, never>[];
  readonly classes?: readonly string[];
  readonly matrix?: readonly (readonly number[])[];
  readonly k?: number;
}

type Line = Omit<Batch, 'rows'> & { readonly rows: readonly (readonly [unknown, unknown, number])[] };

const batches: readonly Batch[] = readFileSync(new URL('peers.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((text) => {
    const { rows, ...line } = JSON.parse(text) as Line;
    return { ...line, rows: rows.map(([prediction, label, weight]) => ({ prediction, label, weight })) } as Batch;
  });

export const batchesOf = (kind: Kind): readonly Batch[] => batches.filter((batch) => batch.kind === kind);

type Metric<Result> = Aggregate<never, Result>;

export const over = <Result>(metric: Metric<Result>, rows: readonly unknown[]): Result =>
  resultOf(metric as Aggregate<unknown, Result>, rows) as Result;

/** Equal within a part of 10^12, or both without a value. */
export function near(actual: number | null, expected: number | null, error = 1e-12): void {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(error * Math.max(1, Math.abs(expected)));
}

/** Holds a metric to a figure of scikit-learn over every batch of a kind, in both orders and merged from parts. */
export function holdsTo(kind: Kind, figure: string, metricOf: (batch: Batch) => Metric<number | null>): void {
  const all = batchesOf(kind);
  expect(all.length).toBeGreaterThan(1);
  for (const batch of all) {
    const metric = metricOf(batch) as Aggregate<unknown, number | null>;
    const expected = batch.figures[figure] as number | null;
    expect(expected).not.toBeUndefined();
    expect(metric.problems).toEqual([]);
    near(over(metric, batch.rows), expected);
    near(over(metric, [...batch.rows].reverse()), expected);
    const entries = batch.rows.map((value, timeMs) => ({ value, timeMs }));
    near(merged<unknown>(metric, entries, 7, true) as number | null, expected);
  }
}

const weight = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 2, arbitrary: fc.double({ min: 1e-3, max: 1e3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY) },
);

const plain = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<never> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<never>;

const missing = fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, 1e300);
const orMissing = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: missing });

const probability = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1));
export const names = ['a', 'b', 'c'] as const;
const number = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.double({ min: -1e4, max: 1e4, noNaN: true }),
  fc.constantFrom(0, -0, 1e80),
);
const items = fc.array(fc.constantFrom('a', 'b', 'c', 4, 5), { maxLength: 8 });

/** Rows of a kind as they come: weighted or not, with labels and predictions that are missing or are none. */
const rowsOf: Readonly<Record<Kind, fc.Arbitrary<Labelled>>> = {
  binary: plain({
    prediction: orMissing(probability),
    label: orMissing(fc.constantFrom<unknown>(true, false, 1, 0, 'x')),
    weight,
  }),
  class: plain({
    prediction: orMissing(
      fc.oneof(
        fc.tuple(probability, probability, probability),
        plain({ a: probability, b: probability, c: probability }),
        fc.constantFrom<unknown>('a', 'b', 'c', 'd', [0.1, Number.NaN, 0.2], {}),
      ),
    ),
    label: orMissing(fc.constantFrom<unknown>('a', 'b', 'c', 'd')),
    weight,
  }),
  number: plain({ prediction: orMissing(number), label: orMissing(number), weight }),
  ranking: plain({
    prediction: orMissing(items),
    label: orMissing(
      fc.oneof(items, fc.dictionary(fc.constantFrom('a', 'b', 'c', '4'), fc.nat(3), { noNullPrototype: true })),
    ),
    weight,
  }),
};

const alike = (actual: unknown, expected: unknown, error: number): void => {
  if (typeof actual === 'number' && typeof expected === 'number') near(actual, expected, error);
  else if (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(actual))
      alike(value, (expected as Record<string, unknown>)[name], error);
  } else expect(actual).toEqual(expected);
};

/**
 * What every metric promises: that of an aggregate; the same in any order and grouping, to the bit where whole numbers are counted
 * (`exact`, over rows of weight 1); nothing left once all rows are taken back; a finite value or none, whatever comes.
 */
export function keepsPromises<Result>(
  metric: Metric<Result>,
  kind: Kind,
  { exact = false, among = rowsOf[kind] }: { readonly exact?: boolean; readonly among?: fc.Arbitrary<unknown> } = {},
): void {
  const given = metric as Aggregate<unknown, unknown>;
  const rows = fc.array(among, { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(among, { minLength: 1, maxLength: 6 }), (some) => {
      checkAggregate(
        given,
        some.map((value, timeMs) => ({ value, timeMs })),
      );
    }),
    { numRuns: 8 },
  );
  const shuffled = rows.chain((all) =>
    fc.record({
      all: fc.constant(all),
      order: fc.shuffledSubarray(all, { minLength: all.length }),
      pieces: fc.integer({ min: 1, max: 9 }),
      fromRight: fc.boolean(),
      plain: fc.constant(exact).chain((is) => (is ? fc.boolean() : fc.constant(false))),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ all, order, pieces, fromRight, plain }) => {
      const own = (values: readonly unknown[]) =>
        plain ? values.map((row) => ({ ...(row as object), weight: undefined })) : values;
      const expected = over(metric, own(all));
      const entries = own(order).map((value, timeMs) => ({ value, timeMs }));
      const actual = merged(given, entries, pieces, fromRight);
      if (plain) expect(actual).toEqual(expected);
      else alike(actual, expected, 1e-9);
      everyNumber(expected, (x) => expect(x).toSatisfy(Number.isFinite));
      expect(
        addedAtOnce(
          given,
          entries.map(({ value }) => value),
        ),
      ).toEqual(
        added(
          given,
          entries.map(({ value }) => value),
        ),
      );
      const back = new Summary(given);
      for (const entry of entries) back.add(entry);
      for (const entry of entries.toReversed()) back.retract(entry);
      expect(back.state()).toEqual(new Summary(given).state());
      expect(back.result()).toBeNull();
    }),
    { numRuns: 40 },
  );
}

const emptyOf = (metric: Aggregate<unknown, unknown>) => {
  const accumulator = accumulatorOf<unknown>({ metric });
  const of = () => {
    const numbers = new Float64Array(accumulator.numbers);
    const values: unknown[] = [];
    accumulator.init(numbers, 0, values, 0);
    return { numbers, values };
  };
  return { accumulator, of };
};

/** Two accumulators with the same rows, of one after another. */
function added(metric: Aggregate<unknown, unknown>, rows: readonly unknown[]) {
  const { accumulator, of } = emptyOf(metric);
  const all = [of(), of()];
  for (const row of rows) for (const { numbers, values } of all) accumulator.add(numbers, 0, values, 0, row, 0);
  return all;
}

/** The same by adding each row to both at once. */
function addedAtOnce(metric: Aggregate<unknown, unknown>, rows: readonly unknown[]) {
  const { accumulator, of } = emptyOf(metric);
  const all = [of(), of()];
  const [numbers, values] = [all.map((each) => each.numbers), all.map((each) => each.values)];
  for (const row of rows) accumulator.addEach(numbers, 0, values, 2, row, 0);
  return all;
}

function everyNumber(value: unknown, visit: (x: number) => void): void {
  if (typeof value === 'number') visit(value);
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) everyNumber(one, visit);
}
