import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { count } from '../../../src/aggregates/index.js';
import {
  type Change,
  type DeadLetter,
  millis,
  type Operator,
  type Sink,
  type Source,
} from '../../../src/core/index.js';
import {
  dedupe,
  detectInactivity,
  innerJoin,
  joinTable,
  map,
  match,
  splitLate,
  startsWith,
  table,
  throttle,
  window,
} from '../../../src/operators/index.js';
import { checkOperator, type Driven, driveOperator } from '../../../src/testing/operator-contract.js';
import { type Stream, topology } from '../../../src/topology/index.js';
import { tumbling } from '../../../src/window.js';

interface Item {
  readonly key: string;
  readonly n: number;
  readonly timeMs: number;
  readonly input: number;
}

const DISORDER = 3;
/** A log with records up to 12 ms behind the latest one: more than the disorder that is waited for. */
const logs = fc
  .array(fc.tuple(fc.nat(4), fc.nat(12), fc.constantFrom('a', 'b', ''), fc.nat(1)), { maxLength: 25 })
  .map((steps) => {
    let nowMs = 100;
    return steps.map(([rise, trail, key, input], n): Item => {
      nowMs += rise;
      return { key, n, timeMs: nowMs - trail, input };
    });
  });

const key = (item: Item) => item.key;
const ofWindows = window({ key, window: tumbling(millis(5)), aggregate: { n: count() }, keysMax: 1 });
const ofMatches = match({
  key,
  pattern: startsWith('a', ({ n }: Item) => n % 2 === 0).followedBy('b', ({ n }) => n % 3 === 0),
  within: millis(9),
  select: ({ a, b }) => [a.n, b.n],
  runsMax: 9,
  pendingMax: 9,
});
const ofJoins = innerJoin({
  keys: { left: key, right: key },
  within: { before: millis(2), after: millis(2) },
  combine: (left, right) => [left.n, right.n],
  entriesMax: 9,
});

describe.each([
  ['window', ofWindows, splitLate(ofWindows), 1],
  ['match', ofMatches, splitLate(ofMatches), 1],
  ['innerJoin', ofJoins, splitLate(ofJoins), 2],
] as const)('the late records of %s', (_, operator: Driven, diverted: Driven, inputs) => {
  const samples = (log: readonly Item[]) =>
    log.map((value) => ({ value, eventTimeMs: value.timeMs, input: value.input % inputs }));

  it('come out as they went in, instead of the dead letters; all else is as it was', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const time = { disorderMs: DISORDER, final: true };
        const plain = driveOperator(operator, samples(log), time);
        const { emitted, deadLetters, counters, failure } = driveOperator(diverted, samples(log), time);
        expect([failure, plain.failure]).toEqual([undefined, undefined]);
        expect(emitted.filter(({ output }) => output === 'results').map(({ output, ...rest }) => rest)).toEqual(
          plain.emitted,
        );
        const late = plain.deadLetters.filter(({ reason }) => reason === 'late');
        const asides = emitted.filter(({ output }) => output !== 'results');
        expect(asides.map(({ value, output, origin }) => [value, output, origin])).toEqual(
          late.map(({ origin }) => {
            const item = log[origin.offset];
            return [item, item?.input === 1 && inputs === 2 ? 'lateRight' : 'late', origin];
          }),
        );
        expect(deadLetters).toEqual(plain.deadLetters.filter(({ reason }) => reason !== 'late'));
        expect(counters).toEqual(plain.counters);
      }),
      { numRuns: 200 },
    );
  });

  it('leave the operator contract as it is', () => {
    fc.assert(
      fc.property(logs, (log) => checkOperator(diverted, samples(log).slice(0, 10), { disorderMs: DISORDER })),
      { numRuns: 20 },
    );
  });

  it('leave the state as it is', () => {
    const cellsOf = ({ shape }: Driven) => shape.shape === 'stateful' && Object.keys(shape.cells);
    expect(cellsOf(diverted)).toEqual(cellsOf(operator));
  });
});

it('keeps what check knows of the operator: the keys that must lie together', () => {
  expect(ofWindows.keys).toEqual([key]);
  expect(splitLate(ofWindows)).toMatchObject({ keys: [key] });
});

describe('splitLate', () => {
  it('says what it cannot do', () => {
    const problemsOf = (operator: Operator<never, unknown>) =>
      splitLate(operator).problems?.map(({ message }) => message);
    const counting = { key, window: tumbling(millis(5)), aggregate: { n: count<Item>() }, keysMax: 1 };
    expect(problemsOf(ofWindows)).toEqual([]);
    expect(problemsOf(map((item: Item) => item.n))).toEqual(['map has no late records']);
    expect(problemsOf(dedupe({ key, retention: millis(5), keysMax: 1 }))).toEqual(['dedupe has no late records']);
    expect(problemsOf(table({ keysMax: 1 }))).toEqual(['table has no late records']);
    expect(problemsOf(throttle({ key, records: 1, per: millis(5), keysMax: 1 }))).toEqual([
      'throttle has no late records',
    ]);
    expect([ofMatches, ofJoins].map((operator) => splitLate(operator as typeof ofMatches).problems)).toEqual([[], []]);
    expect(problemsOf(window({ ...counting, late: 'count' }))).toEqual([
      'the late records are only counted, so none can be split off',
    ]);
  });

  it('tells its operator the time of day too', () => {
    const present = detectInactivity({
      key,
      inactivityTimeout: millis(10),
      processingTimeInterval: millis(1),
      keysMax: 9,
    });
    const heard = { value: { key: 'a', n: 0, timeMs: 0, input: 0 }, eventTimeMs: 0 };
    const { emitted } = driveOperator(splitLate(present), [
      heard,
      { value: null, clockMs: 1 },
      { value: null, clockMs: 20 },
    ]);
    expect(emitted.map(({ value }) => (value as { present: boolean }).present)).toEqual([true, false]);
  });
});

declare const items: Source<Item>;
declare const rates: Source<Change<number>>;
declare const deadLetters: Sink<DeadLetter>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters }, (t) => {
    const stream = t.source('items', items);
    const table = t.source('rates', rates);
    const windows = stream.split(
      'w',
      splitLate(
        window({ key: (item) => item.key, window: tumbling(millis(5)), aggregate: { n: count() }, keysMax: 1 }),
      ),
    );
    type Row = { readonly key: string; readonly startMs: number; readonly endMs: number; readonly n: number };
    expectTypeOf(windows).toEqualTypeOf<{ readonly results: Stream<Row>; readonly late: Stream<Item> }>();

    const combine = (item: Item, rate: number) => ({ n: item.n, rate });
    const met = stream.split(
      'm',
      { table },
      splitLate(joinTable({ key: (item) => item.key, combine, keysMax: 1, pendingMax: 1 })),
    );
    type Met = Stream<{ n: number; rate: number }>;
    expectTypeOf(met).toEqualTypeOf<{ readonly results: Met; readonly late: Stream<Item> }>();

    const joined = stream.split('j', { right: windows.results }, splitLate(joinOfRows));
    expectTypeOf(joined.lateRight).toEqualTypeOf<Stream<Row>>();
    expectTypeOf(joined.late).toEqualTypeOf<Stream<Item>>();
    // @ts-expect-error a side input must be given
    stream.split('k', splitLate(joinOfRows));
  });
void proveTypes;

const joinOfRows = innerJoin({
  keys: {
    left: key,
    right: (row: { readonly key: string; readonly startMs: number; readonly endMs: number; readonly n: number }) =>
      row.key,
  },
  within: { before: millis(2), after: millis(2) },
  combine: (left, right) => [left.n, right.n],
  entriesMax: 9,
});
