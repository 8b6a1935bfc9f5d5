import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { variance } from '../../src/aggregates/index.js';
import { entriesOf, merged, present, resultOf, Summary } from './summary.js';

const of = (value: number | null | undefined) => value;
const numbers = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(null, Number.NaN, 1e4 + 0.5));

function twoPasses(values: readonly number[], ddof: number): number | null {
  if (values.length <= ddof) return null;
  const mean = values.reduce((so, x) => so + x, 0) / values.length;
  return values.reduce((so, x) => so + (x - mean) ** 2, 0) / (values.length - ddof);
}

function close(actual: unknown, expected: number | null): void {
  if (expected === null) expect(actual).toBeNull();
  else expect(Math.abs((actual as number) - expected)).toBeLessThan(1e-9 * (1 + expected) + 1e-6);
}

describe('variance', () => {
  it('is that of a sample, or of a population', () => {
    expect(resultOf(variance(of), [2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(32 / 7, 12);
    expect(resultOf(variance(of, { ddof: 0 }), [2, 4, 4, 4, 5, 5, 7, 9])).toBe(4);
    expect(resultOf(variance(of), [3])).toBeNull();
    expect(resultOf(variance(of, { ddof: 0 }), [3])).toBe(0);
    expect(resultOf(variance(of, { ddof: 0 }), [null])).toBeNull();
  });

  it('does not cancel where values are large and close', () => {
    expect(resultOf(variance(of), [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBeCloseTo(30, 6);
  });

  it('agrees with two passes over a list, however it is cut, merged and restored, and what is left of it', () => {
    fc.assert(
      fc.property(
        entriesOf(numbers),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.constantFrom<0 | 1>(0, 1),
        (entries, pieces, fromRight, ddof) => {
          const it = variance(of, { ddof });
          close(merged(it, entries, pieces, fromRight), twoPasses(present(entries.map(({ value }) => value)), ddof));
          const summary = new Summary(it);
          for (const entry of entries) summary.add(entry);
          for (const entry of entries.slice(0, 5)) summary.retract(entry);
          close(summary.result(), twoPasses(present(entries.slice(5).map(({ value }) => value)), ddof));
        },
      ),
      { numRuns: 100 },
    );
  });
});
