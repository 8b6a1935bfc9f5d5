import type { Redis as Client } from 'ioredis';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import { type Lookup, type LookupAnswer, type LookupReader, MISSING, readAnswer } from '../../src/core/look-up.js';
import { explain, isPassing } from './errors.js';
import type { DecodeOption } from './look-up.js';

/** Keys of one question: Redis does nothing else while it reads strings. */
const KEYS_MAX = 1_000;

/** Reads hashes or strings for a look-up; one try a question, since the step tries again. */
export function redisReader(
  client: Client,
  lookup: Lookup<unknown>,
  where: string,
  /** The client says why a connection is lost to whoever listens, and to the caller only that it is. */
  causeOf: (error: unknown) => unknown,
): LookupReader {
  const decode = (lookup.options as DecodeOption).decode as ((found: unknown) => unknown) | undefined;
  const found = (value: unknown): LookupAnswer => readAnswer(() => (decode ? decode(value) : value));
  const read = kinds[lookup.kind];
  if (!read) throw unknownKind(lookup.kind, where);
  return {
    keysMax: KEYS_MAX,
    async ask(keys) {
      try {
        return (await read(client, keys)).map((answer) =>
          answer instanceof Error
            ? refusal(answer, messageOf(causeOf(answer)))
            : answer === undefined
              ? MISSING
              : found(answer),
        );
      } catch (error) {
        throw explain(causeOf(error), 'cannot look up', where, 'look-up');
      }
    },
    async ping() {
      await client.ping();
    },
    close: async () => undefined, // the client is the profile's
  };
}

type Read = (client: Client, keys: readonly string[]) => Promise<readonly unknown[]>;

const kinds: Readonly<Record<string, Read>> = {
  async 'redis.hashes'(client, keys) {
    const pipeline = client.pipeline();
    for (const key of keys) pipeline.hgetall(key);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, fields]) => error ?? (Object.keys(fields as object).length > 0 ? fields : undefined));
  },
  async 'redis.strings'(client, keys) {
    return (await client.mget(...keys)).map((text) => text ?? undefined);
  },
};

/** The client speaks of its own options where a connection is lost. */
const inWords = (text: string): string => (/max retries/i.test(text) ? 'the connection to Redis is lost' : text);

/** What Redis says of one key among others; where it says the same of all there is no use in going on. */
function refusal(error: Error, detail: string): LookupAnswer {
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(error.message)) throw error;
  return { kind: isPassing(error) ? 'failed' : 'refused', detail: inWords(detail) };
}

const unknownKind = (kind: string, where: string): MillraceError =>
  new MillraceError('config', `Redis has no look-up of kind ${kind}`, {
    where,
    hint: `it has: ${Object.keys(kinds).join(', ')}`,
  });
