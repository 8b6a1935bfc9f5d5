import { MillraceError, messageOf } from '../../src/core/errors.js';
import { type Lookup, type LookupAnswer, type LookupReader, MISSING, readAnswer } from '../../src/core/lookup.js';
import type { DecodeOption } from './kinds.js';
import type { Connection } from './server/connection.js';
import { explain, isPassing } from './server/errors.js';
import type { Server } from './server/server.js';

/** The most keys of one request: Redis does nothing else while it reads strings. */
const KEYS_MAX = 1_000;

/** Reads hashes or strings for a lookup; each request is tried once, since the step retries. */
export function redisReader(server: Server, lookup: Lookup<unknown>): LookupReader {
  const decode = (lookup.options as DecodeOption).decode as ((found: unknown) => unknown) | undefined;
  const found = (value: unknown): LookupAnswer => readAnswer(() => (decode ? decode(value) : value));
  const read = kinds[lookup.kind];
  if (!read) throw unknownKind(lookup.kind, server.where);
  return {
    keysMax: KEYS_MAX,
    async get(keys) {
      try {
        return (await read(await server.connection(), keys)).map((answer) =>
          answer instanceof Error
            ? refusal(answer, messageOf(server.causeOf(answer)))
            : answer === undefined
              ? MISSING
              : found(answer),
        );
      } catch (error) {
        throw explain(server.causeOf(error), 'cannot look up', server.where, 'lookup');
      }
    },
    ping: () => server.ping(),
    close: async () => undefined, // the profile closes the connection
  };
}

type Read = (on: Connection, keys: readonly string[]) => Promise<readonly unknown[]>;

const kinds: Readonly<Record<string, Read>> = {
  async 'redis.hashLookup'(on, keys) {
    const answers = await on.send(keys.map((key) => ({ key, command: ['hgetall', key] })));
    return answers.map((fields) =>
      fields instanceof Error || Object.keys(fields as object).length > 0 ? fields : undefined,
    );
  },
  async 'redis.stringLookup'(on, keys) {
    // A cluster answers for the keys of one slot at a time.
    const batches = on.isCluster ? keys.map((key) => [key]) : [keys];
    const answers = await on.send(batches.map((some) => ({ key: some[0] as string, command: ['mget', ...some] })));
    return answers.flatMap((texts, i): readonly unknown[] =>
      texts instanceof Error
        ? (batches[i] as readonly string[]).map(() => texts)
        : (texts as (string | null)[]).map((text) => text ?? undefined),
    );
  },
};

/** On a lost connection the client's message names its own options. */
const inWords = (text: string): string => (/max retries/i.test(text) ? 'the connection to Redis is lost' : text);

/** The answer for a key that Redis refuses; if it would refuse every key, the error is thrown. */
function refusal(error: Error, detail: string): LookupAnswer {
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(error.message)) throw error;
  return { kind: isPassing(error) ? 'failed' : 'refused', detail: inWords(detail) };
}

const unknownKind = (kind: string, where: string): MillraceError =>
  new MillraceError('config', `Redis has no lookup of kind ${kind}`, {
    where,
    hint: `it has: ${Object.keys(kinds).join(', ')}`,
  });
