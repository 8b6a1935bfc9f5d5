import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retractionProblems } from '../../src/aggregates/accumulator.js';
import { max, min } from '../../src/aggregates/index.js';
import { entriesOf, merged, numberOrNot, present, resultOf } from './summary.js';

const of = (value: number | null | undefined) => value;

describe('min and max', () => {
  it('are null over nothing', () => {
    expect(resultOf(min(of), [null, Number.NaN])).toBeNull();
    expect(resultOf(max(of), [])).toBeNull();
    expect(resultOf(max(of), [Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
  });

  it('are those of a list, however it is cut, merged and restored', () => {
    fc.assert(
      fc.property(
        entriesOf(numberOrNot),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (entries, pieces, fromRight) => {
          const values = present(entries.map(({ value }) => value));
          expect(merged(min(of), entries, pieces, fromRight)).toBe(values.length ? Math.min(...values) + 0 : null);
          expect(merged(max(of), entries, pieces, fromRight)).toBe(values.length ? Math.max(...values) + 0 : null);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('say that they cannot take values back', () => {
    expect(retractionProblems({ low: min(of), high: max(of) }).map(({ message }) => message)).toEqual([
      'low: min cannot retract',
      'high: max cannot retract',
    ]);
  });
});
