import { type LookupAnswer, type LookupDriver, MillraceError, messageOf, readAnswer } from '../core/index.js';

/** Stands in for the store of a step that looks up: the value of a key, `undefined` where there is none; what it throws is a failure. */
export type FakeStore = (key: string) => unknown;

export function fakeLookup(stores: Readonly<Record<string, FakeStore>>): LookupDriver {
  return {
    async open(_, step) {
      const store = stores[step];
      if (!store)
        throw new MillraceError('config', `there is no store for step '${step}'`, {
          where: step,
          hint: 'give the test what stands in for it: `lookups`',
        });
      return {
        keysMax: Number.MAX_SAFE_INTEGER,
        ask: async (keys) => keys.map((key) => fakeAnswer(store, key)),
        ping: async () => undefined,
        close: async () => undefined,
      };
    },
  };
}

function fakeAnswer(store: FakeStore, key: string): LookupAnswer {
  try {
    const value = store(key);
    return readAnswer(() => value);
  } catch (error) {
    return { kind: 'failed', detail: messageOf(error) };
  }
}
