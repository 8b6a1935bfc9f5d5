import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/aggregates/index.js';
import { entriesOf, merged, resultOf, Summary } from './summary.js';

const of = (value: string | null) => value;

describe('collect', () => {
  it('keeps the earliest by event time, at the same time in the order of arrival, and counts the rest', () => {
    fc.assert(
      fc.property(
        entriesOf(fc.constantFrom('a', 'b', 'c', null)),
        fc.integer({ min: 1, max: 8 }),
        (entries, valuesMax) => {
          const summary = new Summary(collect(of, { valuesMax }));
          for (const entry of entries) summary.add(entry).restored();
          const sorted = entries.filter(({ value }) => value !== null).sort((a, b) => a.timeMs - b.timeMs);
          expect(summary.result()).toEqual({
            values: sorted.slice(0, valuesMax).map(({ value }) => value),
            more: Math.max(0, sorted.length - valuesMax),
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('merges parts of different times in any grouping', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', null), { maxLength: 30 }),
        fc.nat(7),
        fc.boolean(),
        (values, n, right) => {
          const entries = values.map((value, timeMs) => ({ value, timeMs }));
          const expected = resultOf(collect(of, { valuesMax: 5 }), values);
          expect(merged(collect(of, { valuesMax: 5 }), entries, n + 1, right)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('hands out a list of its own', () => {
    const summary = new Summary(collect(of, { valuesMax: 5 })).add({ value: 'a', timeMs: 1 });
    const before = summary.result();
    summary.add({ value: 'b', timeMs: 0 });
    expect(before).toEqual({ values: ['a'], more: 0 });
    expect(collect(of, { valuesMax: 0 }).problems[0]?.message).toBe('collects up to 0 values');
  });
});
