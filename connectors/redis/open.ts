import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { SinkDriver } from '../../src/core/io.js';
import type { LookupDriver } from '../../src/core/look-up.js';
import { retry } from '../../src/core/retry.js';
import type { HashSinkOptions } from '../../src/core/sinks.js';
import { explain, isPassing } from './errors.js';
import { HashWriter, type PutIfNewer } from './hash-writer.js';
import { redisReader } from './look-up-reader.js';
import { putIfNewer } from './put-if-newer.js';

export interface RedisOptions {
  /** `redis://host:6379`, `rediss://` for TLS; with user, password and database in it: `redis://user:secret@host/2`. */
  readonly url: string;
  /** PEM of the authority that signed the server's certificate, where the system does not know it. */
  readonly ca?: Buffer;
  /** Tries of one call in all, with growing waits in between: 10 by default, about twelve seconds where none is answered at all. */
  readonly attemptsMax?: number;
}

/** Keys of one step of a scan. */
const SCAN_KEYS = 1_000;

export interface Redis {
  /** Hashes; a repeated write has no effect. */
  readonly hashSink: SinkDriver;
  /** Serves `redis.hashes` and `redis.strings`. */
  readonly lookUp: LookupDriver;
  /** Keys that begin so, in any order, each once; those that come and go meanwhile may be missed. Memory: the keys. */
  keys(prefix: string): Promise<readonly string[]>;
  /** The fields of hashes, in the order of their keys; none where there is no such hash. */
  hashes(keys: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>;
  /** Removes every key that begins so; resolves with their number. */
  remove(prefix: string): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens a Redis server (a single master; no cluster) for the hashes of a topology. The client library is loaded here.
 *
 * Effectively once: every write is fenced by its record, so what a replay repeats, and what a zombie of an earlier
 * incarnation writes, changes nothing. A lost connection is tried again. A hash is in Redis before the checkpoint is
 * stored; whether Redis itself keeps it is a matter of its persistence.
 *
 * @throws MillraceError `sink` where the server does not answer or does not let this user in.
 * @example
 * const redis = await openRedis({ url: 'redis://127.0.0.1:6379' });
 */
export async function openRedis({ url, ca, attemptsMax = 10 }: RedisOptions): Promise<Redis> {
  const { Redis: Client } = await import('ioredis');
  const where = addressOf(url);
  const client = new Client(url, {
    lazyConnect: true,
    // A call is repeated here, never by the client: one that it kept would be sent after later ones.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 5_000,
    commandTimeout: 30_000,
    retryStrategy: (attempt) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2),
    ...(ca ? { tls: { ca } } : {}),
  });
  let lastError: unknown;
  client.on('error', (error) => {
    lastError = error; // the client says here why, and to the caller only that the connection is closed
  });
  client.on('ready', () => {
    lastError = undefined;
  });
  client.defineCommand('millracePutIfNewer', { lua: putIfNewer });
  const call = client as typeof client & { millracePutIfNewer(count: number, ...args: string[]): Promise<number> };
  // A refused password closes the connection too, and will do so again.
  const retriable = (error: unknown) => isPassing(error) && (lastError === undefined || isPassing(lastError));
  const retrying = { retriable, attemptsMax, waitMs: 50, waitMaxMs: 5_000, sleep, random: Math.random };

  const causeOf = (error: unknown) => (isPassing(error) && lastError !== undefined ? lastError : error);
  const attempt = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await retry(work, retrying);
    } catch (error) {
      throw explain(causeOf(error), doing, where);
    }
  };
  const put: PutIfNewer = (keys, args) =>
    attempt('cannot write hashes', () => call.millracePutIfNewer(keys.length, ...keys, ...args));

  try {
    client.connect().catch(() => undefined); // the client goes on trying; the call below tells of it
    await attempt('cannot connect to Redis', () => client.ping());
  } catch (error) {
    client.disconnect();
    throw error;
  }
  const keys = async (prefix: string): Promise<readonly string[]> => {
    const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
    const found = new Set<string>();
    let cursor = '0';
    do {
      const from = cursor;
      const [next, some] = await attempt('cannot list keys', () =>
        client.scan(from, 'MATCH', pattern, 'COUNT', SCAN_KEYS),
      );
      for (const key of some) found.add(key);
      cursor = next;
    } while (cursor !== '0');
    return [...found];
  };
  return {
    hashSink: {
      mode: 'idempotent',
      async open(sink, context) {
        return new HashWriter(sink.options as HashSinkOptions, context, put);
      },
      async ping() {
        await client.ping();
      },
    },
    lookUp: {
      open: async (lookup) => redisReader(client, lookup, where, causeOf),
    },
    keys,
    hashes: (wanted) => attempt('cannot read hashes', () => Promise.all(wanted.map((key) => client.hgetall(key)))),
    async remove(prefix) {
      const gone = await keys(prefix);
      for (let start = 0; start < gone.length; start += SCAN_KEYS) {
        await attempt('cannot remove keys', () => client.unlink(...gone.slice(start, start + SCAN_KEYS)));
      }
      return gone.length;
    },
    async close() {
      await client.quit().catch(() => client.disconnect());
    },
  };
}

/** The address without user and password. */
function addressOf(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch (cause) {
    throw new MillraceError('config', `the address of Redis is no URL: ${messageOf(cause)}`, {
      hint: 'it looks like redis://host:6379',
    });
  }
}
