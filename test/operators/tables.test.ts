import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Upsert } from '../../src/core/index.js';
import {
  type DebeziumEvent,
  fromDebezium,
  innerJoinTables,
  leftJoinTables,
  outerJoinTables,
  table,
} from '../../src/operators/index.js';
import { checkOperator, driveOperator } from '../../src/testing/operator-contract.js';

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

describe('fromDebezium', () => {
  interface Row {
    readonly id: number;
    readonly name: string;
  }
  const operator = fromDebezium<Row>({ key: ({ id }) => String(id) });
  const row = (id: number, name = 'x'): Row => ({ id, name });
  const events: DebeziumEvent<Row>[] = [
    { op: 'r', after: row(1), before: null },
    { op: 'c', after: row(2), before: null },
    { op: 'u', before: row(2), after: row(2, 'y') },
    { op: 'u', before: row(2, 'y'), after: row(3, 'y') },
    { op: 'd', before: row(1), after: null },
    { op: 'm' },
    { op: 'd', before: null },
    { op: 't' },
    { op: '?' },
    { op: 'c', after: null },
  ];

  it('keeps the operator contract', () => checkOperator(operator, samplesOf(events)));

  it('makes upserts of snapshots, inserts, updates (of keys too) and deletes, and says what it cannot', () => {
    const { emitted, deadLetters } = driveOperator(operator, samplesOf(events));
    expect(emitted.map(({ value }) => value)).toEqual([
      { key: '1', value: row(1) },
      { key: '2', value: row(2) },
      { key: '2', value: row(2, 'y') },
      { key: '2', value: null },
      { key: '3', value: row(3, 'y') },
      { key: '1', value: null },
    ]);
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['no-row', 6],
      ['truncated-table', 7],
      ['strange-op', 8],
      ['no-row', 9],
    ]);
  });

  it('takes the envelope of the JSON converter too', () => {
    const wrapped = { schema: {}, payload: events[0] } as unknown as DebeziumEvent<Row>;
    expect(driveOperator(operator, samplesOf([wrapped])).emitted[0]?.value).toEqual({ key: '1', value: row(1) });
  });
});
