import { hashFields, unrepresentableHash } from '../../../connectors/redis/hash-fields.js';
import type { HashSinkOptions } from '../../../connectors/redis/structures.js';
import { MillraceError } from '../../core/errors.js';
import { type LookupDriver, MISSING, readAnswer } from '../../core/lookup.js';
import type { SinkDriver } from '../../core/sink.js';
import { type Hashes, keyTooLong, mustFit } from './hashes.js';
import type { TaskOwners } from './task-outputs.js';
import { unknownKind } from './topic-sinks.js';

const KINDS = ['redis.hashSink', 'redis.upsertSink', 'redis.metricsSink'];

/** The sink of hashes: of each key only the newest value of an epoch is written. */
export function hashSink(owners: TaskOwners, stored: Hashes): SinkDriver {
  return {
    mode: 'transactional',
    async open(sink, { step, task }) {
      if (!KINDS.includes(sink.kind)) throw unknownKind(sink, step);
      const outputs = owners.current(task);
      const { key, content, ttl, newest } = sink.options as HashSinkOptions;
      const isOlder = (name: string, value: unknown): boolean => {
        if (newest === undefined) return false;
        const written = outputs.hashes.get(name);
        const there = written ? hashFields(written.value) : stored.get(name);
        return Number(hashFields(value)[newest]) < Number(there?.[newest]);
      };
      return {
        unrepresentable: (value) =>
          unrepresentableHash(key(value), content ? content(value) : value) ?? keyTooLong(key(value)),
        write(values) {
          outputs.mustOwn();
          for (const value of values) {
            const name = key(value);
            mustFit(name, step);
            const written = content ? content(value) : value;
            if (isOlder(name, written)) continue;
            outputs.hashes.set(name, { value: written, ttlMs: ttl ?? Number.POSITIVE_INFINITY });
          }
        },
        close: async () => undefined,
      };
    },
  };
}

const KEYS_MAX = 10_000;

/** Serves `redis.hashLookup` from the hashes of the store: those of committed epochs. */
export function hashLookup(hashes: Hashes): LookupDriver {
  return {
    async open({ kind, options }, step) {
      if (kind !== 'redis.hashLookup') throw unknownLookup(kind, step);
      const { decode } = options as { readonly decode: ((fields: unknown) => unknown) | undefined };
      return {
        keysMax: KEYS_MAX,
        get: async (keys) =>
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

const unknownLookup = (kind: string, step: string): MillraceError =>
  new MillraceError('config', `the embedded store cannot serve a lookup of kind ${kind}`, {
    where: step,
    hint: 'it serves redis.hashLookup, for hashes that redis.hashSink wrote',
  });
