import type { CellSpec, DeadLetter } from '../../../src/core/index.js';
import type { MapCell } from '../../../src/state/index.js';
import { type Outcome, type SimOutput, type SimRow, same } from '../../../src/testing/sim/index.js';

// How results are held against what a plain loop expects. Nothing here knows the engine, but for the opening of map cells.

/** A value that a sink should hold. */
export interface Expected {
  readonly value: unknown;
  readonly topic: string;
  readonly offset: number;
}

const show = (row: SimRow | Expected | undefined) =>
  row === undefined ? 'nothing' : `${row.topic}@${row.offset} ${JSON.stringify(row.value)}`;
const equal = (a: SimRow | undefined, b: Expected | undefined): boolean =>
  a !== undefined && b !== undefined && a.offset === b.offset && a.topic === b.topic && same(a.value, b.value);

/** Every value once, in order. */
export function exactly(what: string, rows: readonly SimRow[], expected: readonly Expected[]): void {
  const length = Math.max(rows.length, expected.length);
  for (let i = 0; i < length; i++)
    if (!equal(rows[i], expected[i]))
      throw new Error(
        `${what}: value ${i} of ${rows.length} is ${show(rows[i])}, expected ${show(expected[i])} of ${expected.length}`,
      );
}

/** Every value once, by identity; the order is the table's own. */
export function exactlyInTable(what: string, { byIdentity }: SimOutput, expected: readonly Expected[]): void {
  const seen = new Map<string, number>();
  for (const row of expected) {
    const record = `${row.topic}/${row.offset}`;
    const n = seen.get(record) ?? 0;
    seen.set(record, n + 1);
    const held = byIdentity.get(`${record}/${n}`);
    if (!equal(held, row)) throw new Error(`${what}: row ${record}/${n} is ${show(held)}, expected ${show(row)}`);
  }
  if (byIdentity.size !== expected.length)
    throw new Error(`${what}: ${byIdentity.size} rows, expected ${expected.length}`);
}

/** The last value of each key. */
export function newestByKey(
  what: string,
  { byKey }: SimOutput,
  expected: readonly Expected[],
  keyOf: (value: never) => string,
): void {
  const newest = new Map(expected.map(({ value }) => [keyOf(value as never), value]));
  for (const [key, value] of newest)
    if (!same(byKey.get(key)?.value, value))
      throw new Error(`${what}: ${key} is ${JSON.stringify(byKey.get(key)?.value)}, expected ${JSON.stringify(value)}`);
  if (byKey.size !== newest.size) throw new Error(`${what}: ${byKey.size} keys, expected ${newest.size}`);
}

/** Every value at least once; the first time of each in order. One value a record. */
export function atLeast(what: string, rows: readonly SimRow[], expected: readonly Expected[]): void {
  const placeOf = new Map(expected.map(({ topic, offset }, place) => [`${topic}/${offset}`, place]));
  let next = 0;
  for (const row of rows) {
    const place = placeOf.get(`${row.topic}/${row.offset}`) ?? -1;
    if (place > next || !equal(row, expected[place]))
      throw new Error(
        `${what}: ${show(row)} came, expected ${show(expected[place])} or the next, ${show(expected[next])}`,
      );
    if (place === next) next += 1;
  }
  if (next !== expected.length) throw new Error(`${what}: ends after ${next} of ${expected.length}`);
}

/** Every dead letter once. Rounds of an asynchronous step may answer in any order, so letters stand in none. */
export function deadLetters(
  rows: readonly SimRow[],
  expected: readonly {
    readonly step: string;
    readonly reason: string;
    readonly topic: string;
    readonly offset: number;
  }[],
): void {
  const steps = new Set([...expected.map(({ step }) => step), ...rows.map(({ value }) => (value as DeadLetter).step)]);
  for (const step of steps)
    exactly(
      `dead letters of ${step}`,
      rows
        .filter(({ value }) => (value as DeadLetter).step === step)
        .map((row) => ({ ...row, value: (row.value as DeadLetter).reason })),
      expected
        .filter((letter) => letter.step === step)
        .map(({ reason, topic, offset }) => ({ value: reason, topic, offset })),
    );
}

/** Every counter, and no other one. */
export function counters({ counters: actual }: Outcome, expected: Readonly<Record<string, number>>): void {
  for (const name of new Set([...actual.keys(), ...Object.keys(expected)]))
    if ((actual.get(name) ?? 0) !== (expected[name] ?? 0))
      throw new Error(`counter ${name} is ${actual.get(name) ?? 0}, expected ${expected[name] ?? 0}`);
}

/** What a map in the checkpoint holds. */
export function mapInState<K extends string | number, V>(
  outcome: Outcome,
  step: string,
  cell: string,
  spec: CellSpec<MapCell<K, V>>,
): Map<K, V> {
  const open = spec.open();
  for (const { bucket, bytes, version } of outcome.state(step, cell))
    if (bytes) open.restore(bucket, bytes.slice(), version);
  return new Map([...open.keys()].map((key) => [key, open.get(key) as V]));
}

/** Numbers in the checkpoint: raw blocks of 256, little-endian. */
export function numbersInState(outcome: Outcome, step: string, cell: string, size: number, block = 256): Float64Array {
  const numbers = new Float64Array(size);
  for (const { bucket, bytes } of outcome.state(step, cell)) {
    if (!bytes) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const tail = bytes.length % 8; // what stands before the numbers says what they are
    for (let at = tail; at + 8 <= bytes.length; at += 8)
      numbers[bucket * block + (at - tail) / 8] = view.getFloat64(at, true);
  }
  return numbers;
}

export function sameMap(
  what: string,
  actual: ReadonlyMap<unknown, unknown>,
  expected: ReadonlyMap<unknown, unknown>,
): void {
  for (const key of new Set([...actual.keys(), ...expected.keys()]))
    if (!same(actual.get(key), expected.get(key)))
      throw new Error(
        `${what}: ${String(key)} is ${JSON.stringify(actual.get(key))}, expected ${JSON.stringify(expected.get(key))}`,
      );
}
