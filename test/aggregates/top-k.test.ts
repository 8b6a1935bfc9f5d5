import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frequent, topK } from '../../src/aggregates/index.js';
import { entriesOf, merged, resultOf, Summary } from './summary.js';

type Value = string | number | null;
const of = (value: Value) => value;

function exactly(values: readonly Value[]): Frequent<string | number>[] {
  const counts = new Map<string | number, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const order = (value: string | number) => (typeof value === 'number' ? 0 : 1);
  return [...counts]
    .map(([value, count]) => ({ value, count, error: 0 }))
    .sort((a, b) => b.count - a.count || order(a.value) - order(b.value) || (a.value < b.value ? -1 : 1));
}

describe('topK', () => {
  it('is exact while the counters suffice, however values are cut, merged and restored', () => {
    const value = fc.constantFrom<Value>('ATL', 'ORD', 'DFW', 1, 2, '1', null);
    fc.assert(
      fc.property(entriesOf(value), fc.integer({ min: 1, max: 9 }), fc.boolean(), (entries, pieces, fromRight) => {
        const expected = exactly(entries.map(({ value }) => value)).slice(0, 3);
        expect(merged(topK(of, 3), entries, pieces, fromRight)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('counts a value that one side has evicted as often as it may have been there', () => {
    const sides = [
      ['a', 'a', 'b', 'c'], // two counters: c takes the place of b, and counts with it
      ['b', 'b', 'd', 'd', 'd'],
    ];
    const entries = (values: string[]) => values.map((value, timeMs) => ({ value, timeMs }));
    const [left, right] = sides.map((values) => {
      const summary = new Summary<Value>(topK(of, 2, { counters: 2 }));
      for (const entry of entries(values)) summary.add(entry);
      return summary;
    }) as [Summary<Value>, Summary<Value>];
    // What the left does not hold may have come there 2 times, what the right does not hold 2 times too.
    expect(left.merge(right).result()).toEqual([
      { value: 'd', count: 5, error: 2 },
      { value: 'a', count: 4, error: 2 },
    ]);
  });

  it('bounds every true count, and keeps whatever is more frequent than one in its counters', () => {
    const value = fc.oneof(fc.nat(3), fc.nat(40));
    fc.assert(
      fc.property(
        entriesOf<Value>(value, 200),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        (entries, pieces, right) => {
          const counters = 8;
          const truth = new Map(exactly(entries.map(({ value }) => value)).map(({ value, count }) => [value, count]));
          const found = merged(topK(of, counters, { counters }), entries, pieces, right) as Frequent<number>[];
          for (const { value, count, error } of found) {
            expect(count).toBeGreaterThanOrEqual(truth.get(value) ?? 0);
            expect(count - error).toBeLessThanOrEqual(truth.get(value) ?? 0);
          }
          for (const [value, count] of truth)
            if (count > entries.length / counters) expect(found.map((each) => each.value)).toContain(value);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes the counter of the least frequent value, and says so', () => {
    expect(resultOf(topK(of, 2, { counters: 2 }), ['a', 'a', 'b', 'c'])).toEqual([
      { value: 'a', count: 2, error: 0 },
      { value: 'c', count: 2, error: 1 },
    ]);
    expect(topK(of, 0).problems[0]?.message).toBe('the top 0 of 64 counters');
    expect(topK(of, 5, { counters: 4 }).problems).toHaveLength(1);
  });
});
