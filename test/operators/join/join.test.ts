import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, millis } from '../../../src/core/index.js';
import { innerJoin, leftJoin, outerJoin } from '../../../src/operators/index.js';
import { checkOperator, type DrivenInput, driveOperator } from '../../../src/testing/operator-contract.js';
import { watermarks } from '../window/window-model.js';

interface Item {
  readonly side: 0 | 1;
  readonly key: string;
  readonly timeMs: number;
  readonly n: number;
}
type Pair = readonly [left: number | null, right: number | null];

const item = (timeMs: number, side: 0 | 1, key: string, n: number): Item => ({ side, key, timeMs, n });
const DISORDER = 6;
/** A log whose times rise and trail the latest one by at most `DISORDER`. */
const logs = fc
  .array(fc.tuple(fc.nat(5), fc.nat(DISORDER), fc.constantFrom<0 | 1>(0, 1), fc.constantFrom('a', 'b')), {
    maxLength: 25,
  })
  .map((steps) => {
    let nowMs = 100;
    return steps.map(([rise, trail, side, key], n) => {
      nowMs += rise;
      return item(nowMs - trail, side, key, n);
    });
  });
/** Intervals that may lie wholly before or after a record. */
const spans = fc
  .tuple(fc.integer({ min: -8, max: 8 }), fc.nat(12))
  .map(([before, length]) => [before, length - before] as const);

const samplesOf = (log: readonly Item[]): DrivenInput[] =>
  log.map((value) => ({ value, input: value.side, eventTimeMs: value.timeMs }));

const options = (before: number, after: number, latenessMs = 0) => ({
  keys: { left: (v: Item) => v.key, right: (v: Item) => v.key },
  within: { before: millis(before), after: millis(after) },
  allowedLateness: millis(latenessMs),
  entriesMax: 100,
  combine: (left: Item | null, right: Item | null): Pair => [left?.n ?? null, right?.n ?? null],
});

/** The definition: every pair of the sorted log, and who has none. */
function naive(log: readonly Item[], before: number, after: number, leftAlone: boolean, rightAlone: boolean): Pair[] {
  const [lefts, rights] = ([0, 1] as const).map((side) => log.filter((each) => each.side === side)) as [Item[], Item[]];
  const meet = (l: Item, r: Item) => l.key === r.key && r.timeMs >= l.timeMs - before && r.timeMs <= l.timeMs + after;
  return [
    ...lefts.flatMap((l) => rights.filter((r) => meet(l, r)).map((r): Pair => [l.n, r.n])),
    ...(leftAlone ? lefts.filter((l) => !rights.some((r) => meet(l, r))).map((l): Pair => [l.n, null]) : []),
    ...(rightAlone ? rights.filter((r) => !lefts.some((l) => meet(l, r))).map((r): Pair => [null, r.n]) : []),
  ];
}
const sorted = (pairs: readonly unknown[]) => pairs.map((pair) => JSON.stringify(pair)).sort();

describe.each([
  ['innerJoin', innerJoin, false, false],
  ['leftJoin', leftJoin, true, false],
  ['outerJoin', outerJoin, true, true],
] as const)('%s', (_, join, leftAlone, rightAlone) => {
  it('gives every pair within the interval once, and who has none, whatever the order within the disorder', () => {
    fc.assert(
      fc.property(logs, spans, (log, [before, after]) => {
        const { emitted, deadLetters } = driveOperator(join(options(before, after)), samplesOf(log), {
          disorderMs: DISORDER,
          final: true,
        });
        expect(deadLetters).toEqual([]);
        expect(sorted(emitted.map(({ value }) => value))).toEqual(
          sorted(naive(log, before, after, leftAlone, rightAlone)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('emits no record alone below the watermark, and no pair more than allowedLateness below it', () => {
    fc.assert(
      fc.property(logs, spans, fc.nat(DISORDER), (log, [before, after], disorderMs) => {
        const latenessMs = DISORDER - disorderMs;
        const { emitted } = driveOperator(join(options(before, after, latenessMs)), samplesOf(log), {
          disorderMs,
          final: true,
        });
        const marks = watermarks(
          samplesOf(log).map(({ eventTimeMs = 0 }) => ({ eventTimeMs })),
          disorderMs,
        );
        for (const { value, origin } of emitted) {
          const isPair = !(value as Pair).includes(null);
          const lowestMs = (marks[origin.offset] as number) - (isPair ? latenessMs : 0);
          expect(origin.eventTimeMs).toBeGreaterThanOrEqual(lowestMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the operator contract', () => {
    fc.assert(
      fc.property(logs, spans, (log, [before, after]) =>
        checkOperator(join(options(before, after)), samplesOf(log).slice(0, 12), { disorderMs: 3 }),
      ),
      { numRuns: 15 },
    );
  });

  it('takes late records within allowedLateness as if they had been in time', () => {
    fc.assert(
      fc.property(logs, spans, (log, [before, after]) => {
        const late = driveOperator(join(options(before, after, DISORDER)), samplesOf(log), { final: true });
        expect(late.deadLetters).toEqual([]);
        expect(sorted(late.emitted.map(({ value }) => value))).toEqual(
          sorted(naive(log, before, after, leftAlone, rightAlone)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('emits nothing that the future could change', () => {
    fc.assert(
      fc.property(logs, logs, spans, fc.nat(25), (log, other, [before, after], cut) => {
        const at = Math.min(cut, log.length);
        const changed = [...log.slice(0, at), ...other.map((each) => ({ ...each, timeMs: each.timeMs + 200 }))];
        const upTo = (samples: readonly Item[]) =>
          driveOperator(join(options(before, after)), samplesOf(samples)).emitted.filter(
            ({ origin }) => origin.offset < at,
          );
        expect(upTo(changed)).toEqual(upTo(log));
      }),
    );
  });
});

describe('a join', () => {
  it('emits a pair at the later event time, and the lonely when their wait ends', () => {
    const log = [item(100, 0, 'a', 0), item(104, 1, 'a', 1), item(101, 1, 'a', 2), item(110, 0, 'b', 3)];
    const { emitted } = driveOperator(outerJoin(options(2, 3, 1)), samplesOf(log), { disorderMs: 5, final: true });
    expect(emitted.map(({ value, origin }) => [value, origin.eventTimeMs])).toEqual([
      [[0, 2], 101],
      [[null, 1], 108],
      [[3, null], 115],
    ]);
  });

  it('sends late, keyless and surplus records to the dead letters', () => {
    const log = [
      item(100, 0, 'a', 0),
      item(50, 1, 'a', 1),
      item(100, 1, '', 2),
      item(100, 1, 'b', 3),
      item(100, 1, 'c', 4),
    ];
    const { deadLetters, emitted } = driveOperator(innerJoin({ ...options(9, 9), entriesMax: 2 }), samplesOf(log));
    expect(deadLetters.map(({ reason, origin }) => [reason, origin.offset])).toEqual([
      ['late', 1],
      ['empty-key', 2],
      ['join-full', 4],
    ]);
    expect(emitted).toEqual([]);
  });

  it('keeps half of the room from records of absurd times, to which the watermark never comes', () => {
    const absurd = days(5_000);
    const log = [absurd, absurd, absurd, 100, 101, 102].map((timeMs, n) => item(timeMs, 0, `${n}`, n));
    const small = { ...options(9, 9), entriesMax: 4 };
    const { deadLetters } = driveOperator(innerJoin(small), samplesOf(log), { disorderMs: absurd });
    expect(deadLetters.map(({ detail, origin }) => [detail, origin.offset])).toEqual([
      ['2 records wait already, and its time is far ahead', 2],
      ['4 records wait already', 5],
    ]);
  });

  it('keeps nothing beyond the interval', () => {
    const log = Array.from({ length: 40 }, (_, n) => item(n * 10, n % 2 === 0 ? 0 : 1, 'a', n));
    checkOperator(innerJoin(options(10, 10)), samplesOf(log), { stateBytesMax: 2_000 });
  });

  it('names what is wrong with its options', () => {
    expect(innerJoin({ ...options(-5, 2), entriesMax: 0 }).problems?.map(({ message }) => message)).toEqual([
      'the interval from 5 to 2 ms is empty',
      'entriesMax is 0',
    ]);
    expect(innerJoin(options(-5, 5)).problems).toEqual([]);
  });
});
