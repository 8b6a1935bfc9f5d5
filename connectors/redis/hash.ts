import { sinkOf } from '../../src/connect/make.js';
import type { OptionsOf } from '../../src/core/options.js';
import { afterOf, type Change, keyOfChange } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { hashKind, upsertsKind } from './kinds.js';
import type { HashSinkOptions } from './structures.js';

/** Options of `redis.hashSink`. */
export interface RedisHashOptions<T> extends OptionsOf<typeof hashKind.options> {
  readonly key: (value: T) => string;
}

/**
 * Keeps the newest value of each key as a hash with one field per property (`HGETALL` shows them as strings). A field that is null
 * or undefined is left out; objects and arrays are written as JSON. Effectively once: every write is fenced by its record's offset,
 * so a replay changes nothing.
 *
 * @example
 * predictions.to('online', redis.hashSink({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) }));
 */
export function hashSink<T>(options: RedisHashOptions<T>): Sink<T> {
  const { key, ttl } = options;
  const driven: HashSinkOptions = { key: key as (value: unknown) => string, ttl };
  return sinkOf(definition.kinds.hashSink, options, { options: driven });
}

/** Options of `redis.upsertSink`. */
export type RedisUpsertsOptions = OptionsOf<typeof upsertsKind.options>;

/**
 * Keeps the current value of each key of a stream of changes as a hash, and deletes the hash if there is no value or it has no
 * fields. Effectively once, like `redis.hashSink`: a change is fenced by its number among the changes of its task.
 *
 * @example
 * customers.to('online', redis.upsertSink({ prefix: 'customer:' })); // a stream of `table()`
 */
export function upsertSink<T extends object>(options: RedisUpsertsOptions): Sink<Change<T>> {
  const { prefix, ttl } = options;
  const driven: HashSinkOptions = { key: (change) => prefix + keyOfChange(change), content: afterOf, ttl };
  return sinkOf(definition.kinds.upsertSink, options, { options: driven, changes: true });
}
