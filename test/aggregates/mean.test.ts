import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mean } from '../../src/aggregates/index.js';
import { entriesOf, merged, numberOrNot, present, resultOf, Summary } from './summary.js';

const average = mean((value: number | null | undefined) => value);

describe('mean', () => {
  it('is null over nothing, and weighs merged parts by their counts', () => {
    expect(resultOf(average, [null, Number.NaN])).toBeNull();
    const few = new Summary(average).add({ value: 100, timeMs: 0 });
    const many = new Summary(average);
    for (const value of [10, 20, 30]) many.add({ value, timeMs: 1 });
    expect(many.merge(few).result()).toBe(40); // the mean of both means would be 60
  });

  it('is the mean of a list, however it is cut, merged and restored, and of what is left', () => {
    fc.assert(
      fc.property(
        entriesOf(numberOrNot),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (entries, pieces, fromRight) => {
          const meanOf = (values: readonly number[]) =>
            values.length === 0 ? null : values.reduce((so, x) => so + x, 0) / values.length;
          const close = (actual: unknown, expected: number | null) =>
            expected === null ? expect(actual).toBeNull() : expect(actual as number).toBeCloseTo(expected, 6);
          close(merged(average, entries, pieces, fromRight), meanOf(present(entries.map(({ value }) => value))));
          const summary = new Summary(average);
          for (const entry of entries) summary.add(entry);
          for (const entry of entries.slice(0, 5)) summary.retract(entry);
          close(summary.result(), meanOf(present(entries.slice(5).map(({ value }) => value))));
        },
      ),
      { numRuns: 100 },
    );
  });
});
