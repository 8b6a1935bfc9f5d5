import { deepStrictEqual, ok } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../core/errors.js';
import { jsonText } from '../util/json-text.js';
import { type ContractCheck, checkIn, originAt } from './contract.js';
import { type OpenTask, openTask, type SinkWorld, setUp } from './sink-task.js';

/** What a field may hold although its type says otherwise: records come from outside, and steps have mistakes. */
export const hostileValues: Readonly<Record<string, unknown>> = Object.freeze({
  undefined: undefined,
  null: null,
  'an empty text': '',
  'the character NUL': 'a\0b',
  'the first half of a surrogate pair': 'a\ud83d',
  'the second half of a surrogate pair': '\ude00b',
  'line ends, quotes and delimiters': 'a\r\n"b",\'c\';\t\\d\u2028',
  'a word': 'twelve',
  'a number as text': '12',
  'a text that looks like a constant': 'NaN',
  'a text of 1 MiB': 'x'.repeat(2 ** 20),
  'a fraction': 0.1,
  '1e300': 1e300,
  '5e-324': 5e-324,
  'minus zero': -0,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '2^53 + 2': 2 ** 53 + 2,
  'the bigint 2^53 + 1': 2n ** 53n + 1n,
  'the bigint 2^64': 2n ** 64n,
  true: true,
  'a date that is none': new Date(Number.NaN),
  'the last date of JavaScript': new Date(8.64e15),
  'the first date of JavaScript': new Date(-8.64e15),
  'arrays, 100 deep': nested(100),
  'arrays, 2,000 deep': nested(2_000),
  'arrays, 100,000 deep': nested(100_000),
  'an object with a field __proto__': JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'),
  'an object with an undefined field': { a: undefined, b: 1 },
  'an object with NaN in it': { a: [Number.NaN] },
  'an object with half of a surrogate pair in it': { a: 'b\ud83d' },
  'an object with a bigint in it': { a: 2n ** 70n },
  'an object that contains itself': cyclic(),
  bytes: Uint8Array.of(0, 255, 128),
  'a Map': new Map([['a', 1]]),
  'a Set': new Set([1]),
  'a function': nested,
  'a symbol': Symbol('hostile'),
});

/** A sink under test that takes rows with a field of any type. */
export interface HostileSinkWorld extends Pick<SinkWorld, 'driver' | 'sink' | 'deferred' | 'openLedger' | 'close'> {
  /** The n-th row, with this value in its field. */
  row(n: number, value: unknown): unknown;
  /** Something that the field is meant for. */
  readonly plain: unknown;
  /** The fields that an independent reader finds, by the number of their row. */
  read(): Promise<ReadonlyMap<number, unknown>>;
  /** What the reader finds of a value that was accepted: as it is, unless the target has another form of it. */
  stored?(value: unknown): unknown;
}

/**
 * What every sink must do with values that its target may not be able to hold: it names those before it writes them
 * (`unrepresentable`), so that they become dead letters. It fails at none, writes the rows beside them, and what it accepts
 * reads back equal.
 *
 * @example
 * for (const { name, run } of hostileValuesContract(openWorld)) it(name, run);
 */
export function hostileValuesContract(open: () => Promise<HostileSinkWorld>): readonly ContractCheck[] {
  const entries = Object.entries(hostileValues);
  return [
    checkIn(open, 'takes or refuses each hostile value, alone between others', (world) =>
      holds(
        world,
        entries.map((entry) => [entry]),
      ),
    ),
    checkIn(open, 'takes or refuses hostile values, all in one write', (world) => holds(world, [entries])),
  ];
}

type Entry = readonly [name: string, value: unknown];

async function holds(world: HostileSinkWorld, writes: readonly (readonly Entry[])[]): Promise<void> {
  await setUp(world);
  const task = await openTask(world, 0);
  const expected = new Map<number, Entry>();
  let n = 0;
  for (const entries of writes) {
    const rows = [PLAIN, ...entries, PLAIN].map((entry) => ({ n: n++, entry }));
    for (const row of await writeRows(world, task, rows)) expected.set(row.n, row.entry);
  }
  task.writer.finish?.();
  await task.commit();
  await task.close();
  const found = await world.read();
  const { plain, stored = (value: unknown) => value } = world;
  for (const [at, [name, value]] of expected) {
    const right = stored(name === PLAIN[0] ? plain : value);
    const field = found.get(at);
    ok(isSame(field, right), `${name} was accepted and reads back as ${shown(field)}, not ${shown(right)}`);
  }
  deepStrictEqual(
    [...found.keys()].sort((a, b) => a - b),
    [...expected.keys()],
    'rows that are there',
  );
}

interface Row {
  readonly n: number;
  readonly entry: Entry;
}

/** Writes rows as the runtime does: those that the sink has no room for are left out. Resolves with the others. */
async function writeRows(world: HostileSinkWorld, task: OpenTask, rows: readonly Row[]): Promise<readonly Row[]> {
  const names = rows.length === 3 ? (rows[1] as Row).entry[0] : 'hostile values';
  try {
    const made = rows.map(({ n, entry }) => ({
      n,
      entry,
      origin: originAt(n),
      value: world.row(n, entry === PLAIN ? world.plain : entry[1]),
    }));
    const kept = made.filter(({ value, origin }) => task.writer.unrepresentable?.(value, origin) === undefined);
    await task.writer.write(
      kept.map(({ value }) => value),
      kept.map(({ origin }) => origin),
    );
    await task.commit();
    return kept;
  } catch (error) {
    throw new Error(`the run would end at ${names}: ${messageOf(error)}`, { cause: error });
  }
}

const PLAIN: Entry = ['a plain value', undefined];

/**
 * What JSON reads back of a value that it has: for `stored` of targets that keep JSON.
 *
 * @example
 * asJson(new Map([['a', -0]])); // { a: 0 }
 */
export const asJson = (value: unknown): unknown => {
  const text = jsonText(value);
  return text === undefined ? undefined : JSON.parse(text);
};

function isSame(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(one, other);
  } catch {
    return JSON.stringify(one) === JSON.stringify(other); // nested too deeply to be compared piece by piece
  }
}

function nested(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}

const SHOWN_MAX = 80;
const shown = (value: unknown): string => {
  const text =
    typeof value === 'object' ? `${typeof value} ${JSON.stringify(value)}` : `${typeof value} ${String(value)}`;
  return text.slice(0, SHOWN_MAX);
};
