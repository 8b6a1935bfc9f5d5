import { afterOf, type Change, keyOfChange } from '../../src/core/change.js';
import type { Duration } from '../../src/core/duration.js';
import { formatDuration } from '../../src/core/duration.js';
import type { Sink } from '../../src/core/io.js';
import type { HashSinkOptions } from '../../src/core/sinks.js';
import { hashes, strings } from './look-up.js';

export type { HashFields, RedisLookUpOptions } from './look-up.js';

export interface RedisHashOptions<T> {
  /** The Redis key of a value. */
  readonly key: (value: T) => string;
  /** How long a value stays after it was last written, by Redis's clock. */
  readonly ttl: Duration;
}

export interface RedisUpsertsOptions {
  /** Stands before the key of each change. */
  readonly prefix: string;
  /** How long a value stays after it was last written, by Redis's clock; for ever by default. */
  readonly ttl?: Duration;
}

/**
 * Hashes as outputs of a topology, hashes and strings to look up: inert data, read by the profile that runs it. Nothing here connects to anything,
 * and no client library is loaded; `openRedis` in `./open.js` is where that happens.
 */
export const redis = {
  /**
   * Keeps the newest value of each key as a hash, one field a property (`HGETALL` shows them as strings). A field
   * that is null or undefined is left out; objects and arrays are written as JSON. Effectively once: every write is
   * fenced by its record's offset, so a replay changes nothing.
   *
   * @example
   * predictions.to('online', redis.hash({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) }));
   */
  hash<T>({ key, ttl }: RedisHashOptions<T>): Sink<T> {
    const options: HashSinkOptions = { key: key as (value: unknown) => string, ttl };
    return Object.freeze({
      connector: 'redis',
      kind: 'redis.hash',
      settings: Object.freeze({ ttl: formatDuration(ttl) }),
      options: Object.freeze(options),
    });
  },

  /**
   * Keeps what is held to be true now of each key of a stream of changes as a hash, and takes the hash away where that is
   * nothing (or has no fields). Effectively once, as `redis.hash`: a change is fenced by its number among those of its task.
   *
   * @example
   * customers.to('online', redis.upserts({ prefix: 'customer:' })); // a stream of `table()`
   */
  upserts<T extends object>({ prefix, ttl }: RedisUpsertsOptions): Sink<Change<T>> {
    const options: HashSinkOptions = { key: (change) => prefix + keyOfChange(change), content: afterOf, ttl };
    return Object.freeze({
      connector: 'redis',
      kind: 'redis.upserts',
      changes: true,
      settings: Object.freeze({ prefix, ...(ttl === undefined ? {} : { ttl: formatDuration(ttl) }) }),
      options: Object.freeze(options),
    });
  },

  hashes,
  strings,
} as const;
