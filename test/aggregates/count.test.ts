import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count } from '../../src/aggregates/index.js';
import { entriesOf, merged, numberOrNot, present, resultOf, Summary } from './summary.js';

describe('count', () => {
  it('counts records, or those that have a value', () => {
    expect(resultOf(count<number | null>(), [1, null, 0])).toBe(3);
    expect(
      resultOf(
        count((v: unknown) => v),
        [1, null, undefined, Number.NaN, 0, '', false],
      ),
    ).toBe(4);
    expect(resultOf(count<number>(), [])).toBe(0);
  });

  it('is the length of a list, however it is cut, merged and restored, less what is taken back', () => {
    fc.assert(
      fc.property(
        entriesOf(numberOrNot),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (entries, pieces, fromRight) => {
          const known = count((value: number | null | undefined) => value);
          const length = present(entries.map(({ value }) => value)).length;
          expect(merged(known, entries, pieces, fromRight)).toBe(length);
          const summary = new Summary(known);
          for (const entry of entries) summary.add(entry);
          for (const entry of entries.slice(3)) summary.retract(entry);
          expect(summary.result()).toBe(present(entries.slice(0, 3).map(({ value }) => value)).length);
        },
      ),
      { numRuns: 100 },
    );
  });
});
