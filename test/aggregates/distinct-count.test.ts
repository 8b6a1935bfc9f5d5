import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash52 } from '../../src/aggregates/hyper-log-log.js';
import { distinctCount } from '../../src/aggregates/index.js';
import { entriesOf, merged, resultOf, Summary } from './summary.js';

type Value = string | number | boolean | null;
const of = (value: Value) => value;
const count = (values: readonly Value[]) => resultOf(distinctCount(of), values) as number;

describe('distinctCount', () => {
  it('tells values of different types apart, and passes over what is missing', () => {
    expect(count([1, '1', true, null, Number.NaN, 0, -0, '', 'a', 'a', false])).toBe(7);
    expect(count([])).toBe(0);
  });

  it('is exact while values are few, however they are cut, merged and restored', () => {
    const value = fc.oneof(fc.string({ maxLength: 3 }), fc.double({ noNaN: true }), fc.nat(20), fc.boolean());
    fc.assert(
      fc.property(
        entriesOf<Value>(value),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (entries, pieces, fromRight) => {
          const different = new Set(entries.map(({ value }) => (typeof value === 'number' ? value + 0 : value)));
          expect(merged(distinctCount(of), entries, pieces, fromRight)).toBe(different.size);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['numbers', (i: number) => i],
    ['far numbers', (i: number) => i * 1e9 + 0.5],
    ['numbered ids', (i: number) => 1e9 + i],
    ['epoch seconds', (i: number) => 1_700_000_000 + i],
    ['epoch milliseconds', (i: number) => 1_700_000_000_000 + i * 1_000],
    ['ids with a shard in the high bits', (i: number) => (i % 64) * 2 ** 40 + i],
    ['steps of a power of two', (i: number) => i * 2 ** 20],
    ['cents', (i: number) => i / 100],
    ['negative numbers', (i: number) => -1e9 - i * 7],
    ['strings', (i: number) => `N${i.toString(36)}`],
    ['strings of digits', (i: number) => String(1e9 + i)],
    ['padded strings', (i: number) => `user-${String(i).padStart(12, '0')}@example.com`],
    ['strings of two letters', (i: number) => i.toString(2).padStart(20, '0')],
    ['UUID-like strings', (i: number) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`],
  ])('stays within three standard errors for %s', (_, make) => {
    let worst = 0;
    for (const size of [500, 513, 1_000, 4_000, 10_000, 20_000, 100_000]) {
      const values = Array.from({ length: size }, (_, i) => make(i));
      worst = Math.max(worst, Math.abs(count(values) / size - 1));
    }
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(3 * 0.0163);
  });

  it('is a function of the set of values: order, copies and cuts change nothing', () => {
    const values = Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 1_500);
    const forwards = count(values);
    expect(count([...values].reverse())).toBe(forwards);
    const entries = values.map((value, timeMs) => ({ value, timeMs }));
    const parts = [0, 1, 2, 3].map((part) => {
      const summary = new Summary<Value>(distinctCount(of));
      for (const entry of entries.filter((_, i) => i % 4 === part || part === 3)) summary.add(entry);
      return summary.restored();
    });
    expect(parts.reduce((all, part) => all.merge(part)).result()).toBe(forwards);
    expect(parts.reduceRight((all, part) => all.merge(part)).result()).toBe(forwards);
  });

  it('keeps its hash: registers in a checkpoint depend on it', () => {
    expect([hash52(''), hash52('ATL'), hash52(7), hash52(true)]).toMatchInlineSnapshot(`
      [
        2437484221310959,
        237580394704099,
        3875713368681484,
        414264646753879,
      ]
    `);
  });
});
