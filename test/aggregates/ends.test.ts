import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { first, last } from '../../src/aggregates/index.js';
import { type Entry, entriesOf, merged, Summary } from './summary.js';

const of = (value: string | null) => value;
const value = fc.constantFrom('a', 'b', 'c', null);

function naive(entries: readonly Entry<string | null>[], late: boolean): string | null {
  const sorted = entries.filter((entry) => entry.value !== null).sort((a, b) => a.timeMs - b.timeMs); // a stable sort
  return (late ? sorted.at(-1) : sorted[0])?.value ?? null;
}

describe('first and last', () => {
  it('go by event time, at the same time by arrival', () => {
    fc.assert(
      fc.property(entriesOf(value), (entries) => {
        const opening = new Summary(first(of));
        const closing = new Summary(last(of));
        for (const entry of entries) for (const summary of [opening, closing]) summary.add(entry).restored();
        expect(opening.result()).toBe(naive(entries, false));
        expect(closing.result()).toBe(naive(entries, true));
      }),
      { numRuns: 100 },
    );
  });

  it('merge parts of different times in any grouping', () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (values, n, right) => {
          const entries = values.map((each, timeMs) => ({ value: each, timeMs }));
          expect(merged(first(of), entries, n, right)).toBe(naive(entries, false));
          expect(merged(last(of), entries, n, right)).toBe(naive(entries, true));
        },
      ),
      { numRuns: 100 },
    );
  });
});
