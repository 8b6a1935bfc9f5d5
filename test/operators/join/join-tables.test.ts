import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Upsert } from '../../../src/core/index.js';
import { innerJoinTables, leftJoinTables, outerJoinTables } from '../../../src/operators/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const upsert = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.nat(3)))
  .map(([key, value]): Upsert<number> => ({ key, value }));

describe.each([
  ['innerJoinTables', innerJoinTables, (l: number | null, r: number | null) => l !== null && r !== null],
  ['leftJoinTables', leftJoinTables, (l: number | null) => l !== null],
  ['outerJoinTables', outerJoinTables, (l: number | null, r: number | null) => l !== null || r !== null],
] as const)('%s', (_, join, isThere) => {
  type Pair = readonly [number | null, number | null];
  const operator = (keysMax = 10) =>
    join({ keysMax, combine: (left: number | null, right: number | null): Pair => [left, right] });
  const log = fc.array(fc.tuple(fc.constantFrom<0 | 1>(0, 1), upsert), { maxLength: 25 });
  /** The changes of both tables, in one order. */
  const samples = (events: readonly (readonly [0 | 1, Upsert<number>])[]) => {
    const tables = [new Map<string, number>(), new Map<string, number>()] as const;
    return events.map(([input, { key, value }], i) => {
      const rows = tables[input];
      const change: Change<number> = { key, before: rows.get(key) ?? null, after: value };
      if (value === null) rows.delete(key);
      else rows.set(key, value);
      return { value: change, input, eventTimeMs: i };
    });
  };

  it('is at every moment the join of both tables', () => {
    fc.assert(
      fc.property(log, (events) => {
        const given = samples(events);
        const { emitted } = driveOperator(operator(), given);
        const joined = new Map<string, Pair>();
        const sides = [new Map<string, number>(), new Map<string, number>()] as const;
        let next = 0;
        given.forEach(({ value: { key, after }, input }, offset) => {
          if (after === null) sides[input].delete(key);
          else sides[input].set(key, after);
          for (; next < emitted.length && (emitted[next]?.origin.offset ?? 0) <= offset; next++) {
            const change = emitted[next]?.value as Change<Pair>;
            expect(change.before).toEqual(joined.get(change.key) ?? null);
            if (change.after === null) joined.delete(change.key);
            else joined.set(change.key, change.after);
          }
          const keys = [...new Set([...sides[0].keys(), ...sides[1].keys()])];
          const expected = keys
            .map((each) => [each, [sides[0].get(each) ?? null, sides[1].get(each) ?? null]] as const)
            .filter(([, [left, right]]) => isThere(left, right));
          expect(joined).toEqual(new Map(expected));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(log, (events) => checkOperator(operator(2), samples(events).slice(0, 12))),
      { numRuns: 20 },
    );
  });
});
