import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sum } from '../../src/aggregates/index.js';
import { entriesOf, merged, numberOrNot, present, resultOf, Summary } from './summary.js';

const total = sum((value: number | null | undefined) => value);

describe('sum', () => {
  it('adds what is there', () => {
    expect(resultOf(total, [1, null, 2.5, Number.NaN, undefined])).toBe(3.5);
    expect(resultOf(total, [null])).toBe(0);
    expect(Object.is(resultOf(total, [-0]), 0)).toBe(true);
  });

  it('keeps what rounding takes from a plain loop', () => {
    expect(resultOf(total, [1, 1e100, 1, -1e100])).toBe(2);
    expect(resultOf(total, new Array(10).fill(0.1))).toBe(1);
  });

  it('leaves infinities as they are', () => {
    expect(resultOf(total, [1, Number.POSITIVE_INFINITY, 1])).toBe(Number.POSITIVE_INFINITY);
    expect(resultOf(total, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBeNaN();
  });

  it('is the exact sum of whole numbers, however it is cut, merged and restored', () => {
    fc.assert(
      fc.property(
        entriesOf(fc.oneof(fc.integer(), fc.constant(null))),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (entries, pieces, fromRight) => {
          const exact = entries.reduce((so, { value }) => so + BigInt(value ?? 0), 0n);
          expect(merged(total, entries, pieces, fromRight)).toBe(Number(exact));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes values back to the last digits', () => {
    fc.assert(
      fc.property(entriesOf(numberOrNot), entriesOf(numberOrNot), (kept, corrected) => {
        const summary = new Summary(total);
        for (const entry of corrected) summary.add(entry);
        for (const entry of kept) summary.add(entry);
        for (const entry of corrected) summary.retract(entry);
        const values = present(kept.map(({ value }) => value));
        const size = present([...kept, ...corrected].map(({ value }) => value)).reduce((s, x) => s + Math.abs(x), 1);
        const expected = values.reduce((so, x) => so + x, 0);
        expect(Math.abs((summary.result() as number) - expected)).toBeLessThan(size * 1e-15 * (values.length + 1));
      }),
      { numRuns: 100 },
    );
  });
});
