import { deepStrictEqual, ok } from 'node:assert';
import type { Lookup, LookupAnswer, LookupDriver, LookupReader } from '../core/lookup.js';
import { type ContractCheck, checkIn } from './contract.js';

/** A lookup under test, with an empty store at first. */
export interface LookupWorld {
  readonly driver: LookupDriver;
  readonly lookup: Lookup<unknown>;
  /** The n-th key, as a topology passes it. */
  key(n: number): string;
  /** The value of the n-th key, after it was stored. */
  value(n: number): unknown;
  /** Stores entries from outside; they can be found when it resolves. */
  put(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Checks what every lookup must do: return answers in the order of the keys, report missing keys, and have no effect, so that a
 * request may be repeated.
 *
 * @example
 * for (const { name, run } of lookupContract(openWorld)) it(name, run);
 */
export function lookupContract(open: () => Promise<LookupWorld>): readonly ContractCheck[] {
  const check = (name: string, body: (world: LookupWorld, reader: LookupReader) => Promise<void>) =>
    checkIn(open, name, async (world) => {
      const reader = await world.driver.open(world.lookup, 'contract');
      try {
        await body(world, reader);
      } finally {
        await reader.close();
      }
    });
  return [
    check('answers every key in its place, and again', async (world, reader) => {
      const numbers = Array.from({ length: 40 }, (_, n) => n);
      await world.put(numbers);
      const backwards = numbers.toReversed();
      for (let round = 0; round < 2; round++)
        deepStrictEqual(await answers(world, reader, backwards), backwards.map(found(world)));
    }),

    check('reports a missing key as missing', async (world, reader) => {
      deepStrictEqual(await answers(world, reader, [1, 2]), [{ kind: 'missing' }, { kind: 'missing' }]);
      await world.put([1, 3]);
      const later = await world.driver.open(world.lookup, 'later');
      const expected = [found(world)(3), { kind: 'missing' }, found(world)(1)];
      deepStrictEqual(await answers(world, later, [3, 2, 1]), expected);
      await later.close();
    }),

    check('takes as many keys at once as keysMax', async (world, reader) => {
      const numbers = Array.from({ length: Math.min(reader.keysMax, 1_000) }, (_, n) => n);
      await world.put(numbers);
      const asked = await reader.get(numbers.map(world.key), new AbortController().signal);
      deepStrictEqual(asked, numbers.map(found(world)));
    }),

    check('answers a ping, and can be closed twice', async (_world, reader) => {
      await reader.ping();
      await reader.close();
    }),
  ];
}

const found =
  (world: LookupWorld) =>
  (n: number): LookupAnswer => ({ kind: 'found', value: world.value(n) });

/** Requests keys in batches that the store accepts. */
async function answers(
  world: LookupWorld,
  reader: LookupReader,
  numbers: readonly number[],
): Promise<readonly LookupAnswer[]> {
  ok(reader.keysMax >= 1, `keysMax is ${reader.keysMax}`);
  const all: LookupAnswer[] = [];
  const size = Math.min(reader.keysMax, numbers.length);
  for (let at = 0; at < numbers.length; at += size) {
    const keys = numbers.slice(at, at + size).map((n) => world.key(n));
    const some = await reader.get(keys, new AbortController().signal);
    deepStrictEqual(some.length, keys.length, 'one answer a key');
    all.push(...some);
  }
  return all;
}
