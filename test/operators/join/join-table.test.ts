import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, days, millis } from '../../../src/core/index.js';
import { joinTable, leftJoinTable } from '../../../src/operators/index.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';

interface Order {
  readonly n: number;
  readonly of: string;
}
interface Event {
  readonly timeMs: number;
  readonly order?: Order;
  readonly change?: Change<number>;
}

const DISORDER = 6;
const log = fc
  .array(fc.tuple(fc.nat(4), fc.nat(DISORDER), fc.boolean(), fc.constantFrom('a', 'b'), fc.option(fc.nat(99))), {
    maxLength: 25,
  })
  .map((steps) => {
    let nowMs = 100;
    return steps.map(([rise, trail, isOrder, of, row], n): Event => {
      nowMs += rise;
      const timeMs = nowMs - trail;
      return isOrder ? { timeMs, order: { n, of } } : { timeMs, change: { key: of, before: null, after: row } };
    });
  });

const samplesOf = (events: readonly Event[]): DrivenInput[] =>
  events.map(({ timeMs, order, change }) => ({ value: order ?? change, input: order ? 0 : 1, eventTimeMs: timeMs }));

const options = (latenessMs = 0) => ({
  key: (order: Order) => order.of,
  combine: ({ n }: Order, row: number | null) => [n, row] as const,
  allowedLateness: millis(latenessMs),
  keysMax: 10,
  pendingMax: 100,
});

/** The definition: the log sorted by event time (of one moment, in its own order), and a table that is always up to date. */
function naive(events: readonly Event[]): (readonly [n: number, row: number | null])[] {
  const table = new Map<string, number | null>();
  return events
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .flatMap(({ order, change }) => {
      if (order) return [[order.n, table.get(order.of) ?? null] as const];
      table.set(change?.key ?? '', change?.after ?? null);
      return [];
    });
}
const byNumber = (pairs: readonly unknown[]) =>
  (pairs as (readonly [number, number | null])[]).toSorted((a, b) => a[0] - b[0]);

describe('joinTable', () => {
  it('gives each record the row as it was at its time, in whatever order record and change were told', () => {
    fc.assert(
      fc.property(log, (events) => {
        const left = driveOperator(leftJoinTable(options()), samplesOf(events), { disorderMs: DISORDER, final: true });
        expect(left.deadLetters).toEqual([]);
        expect(byNumber(left.emitted.map(({ value }) => value))).toEqual(byNumber(naive(events)));
        for (const { value, origin } of left.emitted)
          expect(origin.eventTimeMs).toBe(events[(value as readonly [number])[0]]?.timeMs);
        const inner = driveOperator(joinTable(options()), samplesOf(events), { disorderMs: DISORDER, final: true });
        expect(inner.emitted.map(({ value }) => value)).toEqual(
          left.emitted.map(({ value }) => value).filter((pair) => (pair as readonly unknown[])[1] !== null),
        );
        expect(inner.counters.unmatched ?? 0).toBe(left.emitted.length - inner.emitted.length);
        expect([inner.counters.joined ?? 0, left.counters.joined ?? 0]).toEqual([inner.emitted.length, 0]);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(log, fc.nat(3), (events, lateness) =>
        checkOperator(leftJoinTable(options(lateness)), samplesOf(events).slice(0, 12), { disorderMs: 3 }),
      ),
      { numRuns: 30 },
    );
  });

  it('emits nothing that what comes later could change', () => {
    fc.assert(
      fc.property(log, log, fc.nat(25), (events, others, cut) => {
        const at = Math.min(cut, events.length);
        const upTo = (all: readonly Event[]) =>
          driveOperator(leftJoinTable(options()), samplesOf(all), { disorderMs: DISORDER }).emitted.filter(
            ({ origin }) => origin.offset < at,
          );
        const changed = [...events.slice(0, at), ...others.map((event) => ({ ...event, timeMs: event.timeMs + 300 }))];
        expect(upTo(changed)).toEqual(upTo(events));
      }),
    );
  });

  it('emits at once where the inputs are in order', () => {
    const events: Event[] = [
      { timeMs: 10, change: { key: 'a', before: null, after: 1 } },
      { timeMs: 20, order: { n: 1, of: 'a' } },
      { timeMs: 20, change: { key: 'a', before: 1, after: 2 } },
      { timeMs: 20, order: { n: 3, of: 'a' } },
    ];
    const { emitted } = driveOperator(joinTable(options()), samplesOf(events));
    expect(emitted.map(({ value, origin }) => [value, origin.offset])).toEqual([
      [[1, 1], 1],
      [[3, 2], 3],
    ]);
  });

  it('forgets versions that nobody can ask for, and rows that are gone', () => {
    const events = Array.from({ length: 60 }, (_, n): Event => {
      return { timeMs: n * 10, change: { key: `k${n % 3}`, before: null, after: n % 5 === 0 ? null : n } };
    });
    checkOperator(joinTable(options(20)), samplesOf(events), { stateBytesMax: 1_500 });
  });

  it('takes in a change that comes late for what comes after it, as the newest or as none', () => {
    const change = (timeMs: number, key: string, after: number | null): Event => ({
      timeMs,
      change: { key, before: null, after },
    });
    const events: Event[] = [
      change(10, 'a', 1),
      change(30, 'b', 3),
      { timeMs: 50, order: { n: 2, of: 'a' } },
      change(20, 'a', 2), // after the order that it would have been for
      change(20, 'b', 9), // and behind a newer one
      { timeMs: 50, order: { n: 5, of: 'a' } },
      { timeMs: 51, order: { n: 6, of: 'b' } },
      change(40, 'b', null),
      { timeMs: 52, order: { n: 8, of: 'b' } },
    ];
    const { emitted, counters, deadLetters } = driveOperator(leftJoinTable(options()), samplesOf(events));
    expect(emitted.map(({ value }) => value)).toEqual([
      [2, 1],
      [5, 2],
      [6, 3],
      [8, null],
    ]);
    expect(counters.late_changes).toBe(3);
    expect(deadLetters).toEqual([]);
  });

  it('a row that is gone stays gone when a change from before that is told late, and makes room for others', () => {
    const change = (timeMs: number, key: string, after: number | null): Event => ({
      timeMs,
      change: { key, before: null, after },
    });
    const order = (timeMs: number, n: number, of: string): Event => ({ timeMs, order: { n, of } });
    const events: Event[] = [
      change(10, 'a', 1),
      change(30, 'a', null),
      order(50, 2, 'a'), // by now nothing is kept of it but that it is gone
      change(20, 'a', 9),
      order(51, 4, 'a'),
      change(60, 'a', 5),
      order(61, 6, 'a'),
      change(70, 'a', null),
      order(80, 8, 'a'),
      change(81, 'b', 7),
      change(82, 'c', 7),
      order(90, 11, 'b'),
    ];
    const small = { ...options(), keysMax: 1 };
    const { emitted, deadLetters } = driveOperator(leftJoinTable(small), samplesOf(events));
    expect(emitted.map(({ value }) => value)).toEqual([
      [2, null],
      [4, null],
      [6, 5],
      [8, null],
      [11, 7],
    ]);
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([['table-full', 10]]);
    checkOperator(leftJoinTable(small), samplesOf(events));
  });

  it('remembers as many rows that are gone as there may be keys, and makes room of those that went first', () => {
    const told = (timeMs: number, key: string, after: number | null): Event => ({
      ...{ timeMs, change: { key, before: null, after } },
    });
    const of = (timeMs: number, n: number, key: string): Event => ({ timeMs, order: { n, of: key } });
    const events: Event[] = [
      ...['a', 'b', 'c'].map((key, n) => told(10 + n, key, n)),
      ...['b', 'a', 'c'].map((key, n) => told(20 + n, key, null)),
      of(40, 6, 'a'),
      told(41, 'd', 4), // in the place of `b`
      told(15, 'a', 9), // late: it went afterwards
      of(42, 9, 'a'),
      of(42, 10, 'd'),
    ];
    const { emitted, deadLetters } = driveOperator(leftJoinTable({ ...options(), keysMax: 3 }), samplesOf(events));
    expect(deadLetters).toEqual([]);
    expect(emitted.map(({ value }) => value)).toEqual([
      [6, null],
      [9, null],
      [10, 4],
    ]);
  });

  it('forgets late changes as others', () => {
    const events = Array.from({ length: 60 }, (_, n): Event => {
      return { timeMs: n % 2 === 0 ? n * 10 : n * 10 - 35, change: { key: `k${n % 3}`, before: null, after: n } };
    });
    checkOperator(joinTable(options()), samplesOf(events), { stateBytesMax: 1_500 });
  });

  it('keeps half of the room from records of absurd times, to which the watermark never comes', () => {
    const absurd = days(5_000);
    const events = [absurd, absurd, absurd, 100, 101, 102].map(
      (timeMs, n): Event => ({ timeMs, order: { n, of: 'a' } }),
    );
    const small = joinTable({ ...options(), pendingMax: 4 });
    const { deadLetters } = driveOperator(small, samplesOf(events), { disorderMs: absurd });
    expect(deadLetters.map(({ detail, origin }) => [detail, origin.offset])).toEqual([
      ['2 records wait already, and its time is far ahead', 2],
      ['4 records wait already', 5],
    ]);
  });

  it('takes in new keys after a pause of days, also where more than half of the keys are there', () => {
    const events = [0, 0, 0, 1, 1].map((pauses, n): Event => {
      return { timeMs: 100 + n + pauses * days(30), change: { key: `k${n}`, before: null, after: n } };
    });
    const { deadLetters } = driveOperator(joinTable({ ...options(), keysMax: 5 }), samplesOf(events), {
      disorderMs: DISORDER,
    });
    expect(deadLetters).toEqual([]);
  });

  it('sends late, keyless and surplus records to the dead letters', () => {
    const of = (timeMs: number, n: number, key: string): Event => ({ timeMs, order: { n, of: key } });
    const events: Event[] = [
      of(100, 0, 'a'),
      of(90, 1, 'a'),
      of(100, 2, ''),
      { timeMs: 100, change: { key: 'x', before: null, after: 1 } },
      { timeMs: 100, change: { key: 'y', before: null, after: 1 } },
      of(103, 5, 'a'),
      of(104, 6, 'a'),
    ];
    const { deadLetters } = driveOperator(joinTable({ ...options(), keysMax: 1, pendingMax: 1 }), samplesOf(events), {
      disorderMs: 5,
    });
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['late', 1],
      ['empty-key', 2],
      ['table-full', 4],
      ['join-full', 5],
      ['join-full', 6],
    ]);
  });
});
