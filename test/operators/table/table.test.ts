import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Upsert } from '../../../src/core/index.js';
import { table } from '../../../src/operators/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

const upsert = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.nat(3)))
  .map(([key, value]): Upsert<number> => ({ key, value }));
const upserts = fc.array(upsert, { maxLength: 20 });
const samplesOf = (values: readonly unknown[], input = 0) =>
  values.map((value, i) => ({ value, input, eventTimeMs: i }));
const changes = (values: readonly Upsert<number>[]) =>
  driveOperator(table<number>({ keysMax: 10 }), samplesOf(values)).emitted.map(({ value }) => value as Change<number>);

describe('table', () => {
  it('tells what was and what is, and the changes add up to the newest values', () => {
    fc.assert(
      fc.property(upserts, (values) => {
        const rows = new Map<string, number>();
        for (const { key, before, after } of changes(values)) {
          expect(before).toBe(rows.get(key) ?? null);
          if (after === null) rows.delete(key);
          else rows.set(key, after);
        }
        const newest = new Map(values.map(({ key, value }) => [key, value]));
        expect(rows).toEqual(new Map([...newest].filter(([, value]) => value !== null)));
      }),
    );
  });

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(upserts, (values) => checkOperator(table<number>({ keysMax: 2 }), samplesOf(values.slice(0, 12)))),
      { numRuns: 20 },
    );
  });

  it('refuses a key too many, and takes one again when another is gone', () => {
    const values = [
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
      { key: 'a', value: null },
      { key: 'b', value: 2 },
    ];
    const { deadLetters, emitted } = driveOperator(table<number>({ keysMax: 1 }), samplesOf(values));
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([['table-full', 1]]);
    expect(emitted.map(({ value }) => value)).toEqual([
      { key: 'a', before: null, after: 1 },
      { key: 'a', before: 1, after: null },
      { key: 'b', before: null, after: 2 },
    ]);
  });
});
