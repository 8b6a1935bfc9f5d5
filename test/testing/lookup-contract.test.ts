import { describe, expect, it } from 'vitest';
import type { Lookup, LookupAnswer, LookupReader } from '../../src/core/index.js';
import { type LookupWorld, lookupContract } from '../../src/testing.js';

/** A store in memory; `changes` make it wrong in one way. */
const world =
  (changes: (entries: ReadonlyMap<string, string>) => Partial<LookupReader> = () => ({})) =>
  async (): Promise<LookupWorld> => {
    const entries = new Map<string, string>();
    const answer = (key: string): LookupAnswer =>
      entries.has(key) ? { kind: 'found', value: entries.get(key) } : { kind: 'missing' };
    const reader: LookupReader = {
      keysMax: 16,
      get: async (keys) => keys.map(answer),
      ping: async () => undefined,
      close: async () => undefined,
    };
    return {
      driver: { open: async () => ({ ...reader, ...changes(entries) }) },
      lookup: {} as Lookup<unknown>,
      key: (n) => `key-${n}`,
      value: (n) => `value-${n}`,
      put: async (numbers) => {
        for (const n of numbers) entries.set(`key-${n}`, `value-${n}`);
      },
      close: async () => undefined,
    };
  };

describe('lookupContract', () => {
  for (const { name, run } of lookupContract(world())) it(name, run);

  const wrong: readonly (readonly [string, Parameters<typeof world>[0]])[] = [
    [
      'one answer less',
      (entries) => ({ get: async (keys) => keys.slice(1).map((key) => ({ kind: 'found', value: entries.get(key) })) }),
    ],
    [
      'found what is not there',
      (entries) => ({ get: async (keys) => keys.map((key) => ({ kind: 'found', value: entries.get(key) })) }),
    ],
    ['takes no keys', () => ({ keysMax: 0 })],
  ];
  it.each(wrong)('finds what is wrong: %s', async (_, changes) => {
    const results = await Promise.allSettled(lookupContract(world(changes)).map(({ run }) => run()));
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
  });
});
