import { deepStrictEqual, ok } from 'node:assert';
import type { Lookup, LookupAnswer, LookupDriver, LookupReader } from '../core/lookup.js';
import { type ContractCheck, checkIn } from './contract.js';

/** A lookup under test, in a store that is empty at first. */
export interface LookupWorld {
  readonly driver: LookupDriver;
  readonly lookup: Lookup<unknown>;
  /** The n-th key, as the topology would ask for it. */
  key(n: number): string;
  /** What is found under the n-th key, once it was put there. */
  value(n: number): unknown;
  /** Puts entries into the store from outside, to be found when it resolves. */
  put(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * What every lookup must do: answer each key in its place, say of a key that is not there that it is missing, and have no
 * effect, so that it may be asked again.
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

    check('says of a key that is not there that it is missing', async (world, reader) => {
      deepStrictEqual(await answers(world, reader, [1, 2]), [{ kind: 'missing' }, { kind: 'missing' }]);
      await world.put([1, 3]);
      const later = await world.driver.open(world.lookup, 'later');
      const expected = [found(world)(3), { kind: 'missing' }, found(world)(1)];
      deepStrictEqual(await answers(world, later, [3, 2, 1]), expected);
      await later.close();
    }),

    check('takes as many keys at once as it says', async (world, reader) => {
      const numbers = Array.from({ length: Math.min(reader.keysMax, 1_000) }, (_, n) => n);
      await world.put(numbers);
      const asked = await reader.ask(numbers.map(world.key), new AbortController().signal);
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

/** Asks in questions of the size that the store takes. */
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
    const some = await reader.ask(keys, new AbortController().signal);
    deepStrictEqual(some.length, keys.length, 'one answer a key');
    all.push(...some);
  }
  return all;
}
