import { MillraceError } from '../../core/errors.js';
import { type LookupDriver, MISSING, readAnswer } from '../../core/lookup.js';
import type { Hashes } from './hashes.js';

const KEYS_MAX = 10_000;

/** Serves `redis.hashLookup` from the hashes of the store: those of committed epochs. */
export function hashLookup(hashes: Hashes): LookupDriver {
  return {
    async open({ kind, options }, step) {
      if (kind !== 'redis.hashLookup') throw unknownKind(kind, step);
      const { decode } = options as { readonly decode: ((fields: unknown) => unknown) | undefined };
      return {
        keysMax: KEYS_MAX,
        ask: async (keys) =>
          keys.map((key) => {
            const fields = hashes.get(key);
            return fields === undefined ? MISSING : readAnswer(() => (decode ? decode(fields) : fields));
          }),
        ping: async () => undefined,
        close: async () => undefined,
      };
    },
  };
}

const unknownKind = (kind: string, step: string): MillraceError =>
  new MillraceError('config', `the embedded store cannot serve a lookup of kind ${kind}`, {
    where: step,
    hint: 'it serves redis.hashLookup, for hashes that redis.hashSink wrote',
  });
