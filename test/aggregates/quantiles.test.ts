import { DDSketch } from '@datadog/sketches-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile, quantiles } from '../../src/aggregates/index.js';
import { entriesOf, merged, numberOrNot, present, resultOf, Summary } from './summary.js';

const of = (value: number | null | undefined) => value;
const at = [0, 0.05, 0.5, 0.95, 0.99, 1];

describe('quantiles', () => {
  it('lie within the stated error of the exact ones, however the list is cut, merged and restored', () => {
    fc.assert(
      fc.property(
        entriesOf(numberOrNot, 80),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.constantFrom(0.001, 0.01, 0.1),
        (entries, pieces, fromRight, error) => {
          const values = present(entries.map(({ value }) => value)).sort((a, b) => a - b);
          const results = merged(quantiles(of, at, { error }), entries, pieces, fromRight) as (number | null)[];
          results.forEach((result, i) => {
            expect(result === null).toBe(values.length === 0);
            if (result === null) return;
            const exact = values[Math.floor((at[i] as number) * (values.length - 1))] as number;
            expect(Math.abs(result - exact)).toBeLessThanOrEqual(Math.abs(exact) * error * (1 + 1e-9) + 1e-300);
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are those of the reference implementation', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const reference = new DDSketch({ relativeAccuracy: 0.02 });
        for (const value of values) reference.accept(value);
        for (const q of at)
          expect(resultOf(quantile(of, q, { error: 0.02 }), values)).toBeCloseTo(reference.getValueAtQuantile(q), 9);
      }),
      { numRuns: 100 },
    );
  });

  it('take values back exactly', () => {
    fc.assert(
      fc.property(entriesOf(numberOrNot), entriesOf(numberOrNot), (kept, corrected) => {
        const median = quantile(of, 0.5);
        const summary = new Summary(median);
        for (const entry of [...corrected, ...kept]) summary.add(entry);
        for (const entry of corrected) summary.retract(entry).restored();
        const plain = kept.reduce((so, entry) => so.add(entry), new Summary(median));
        expect(summary.result()).toBe(plain.result());
      }),
      { numRuns: 100 },
    );
  });

  it.each([Number.MAX_VALUE, -Number.MAX_VALUE])('of %d are numbers', (value) => {
    const result = resultOf(quantile(of, 0.5), [value]) as number;
    expect(Number.isFinite(result)).toBe(true);
    expect(result / value).toBeCloseTo(1, 1);
  });

  it('pass infinities over, and name what cannot be', () => {
    expect(resultOf(quantile(of, 0.5), [Number.POSITIVE_INFINITY, 3])).toBeCloseTo(3, 1);
    expect(quantile(of, 95).problems[0]?.message).toBe('a quantile at 95');
    expect(quantile(of, 0.5, { error: 0 }).problems[0]?.message).toBe('a quantile within 0');
    expect(quantile(of, 0.5).problems).toEqual([]);
  });
});
