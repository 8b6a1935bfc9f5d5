import { sinkOf } from '../../src/connect/make.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import { unrepresentableKey } from './hash-fields.js';
import { counterKind, type setKind, sortedSetKind } from './kinds.js';
import { nameOf } from './sink.js';
import type { Write } from './structures.js';

// Sinks that collect values under one key: a ranking, a set, a number.

/** Options of `redis.sortedSetSink`. */
export interface RedisSortedSetOptions<T> extends OptionsOf<typeof sortedSetKind.options> {
  readonly key: string | ((value: T) => string);
  readonly member: (value: T) => string;
  readonly score: (value: T) => number | null;
}

/**
 * Keeps the newest score of each member in a sorted set (`ZADD`), and with `sizeMax` only the best. Effectively once, like
 * `redis.hashSink`: a replay writes and trims nothing.
 *
 * @example
 * scored.to('riskiest', redis.sortedSetSink({ key: 'riskiest', member: (p) => p.account, score: (p) => p.risk, sizeMax: 100 }));
 */
export function sortedSetSink<T>(options: RedisSortedSetOptions<T>): Sink<T> {
  const { sizeMax, keep, ttl } = resolve(sortedSetKind, options);
  const key = nameOf(options.key);
  const member = options.member as (value: unknown) => string;
  const score = options.score as (value: unknown) => number | null;
  const driven: Write = {
    key,
    strings: (value) => {
      const points = score(value);
      return isMissing(points) ? ['ZREM', member(value)] : ['ZADD', String(points), member(value)];
    },
    unrepresentable: (value) => {
      const points = score(value);
      const fits = isMissing(points) || (typeof points === 'number' && !Number.isNaN(points));
      if (!fits) return notA('score', points, 'a number or null');
      return unrepresentableKey('key', key(value)) ?? unrepresentableKey('member', member(value));
    },
    ttl,
    limit: sizeMax,
    how: keep,
  };
  return sinkOf(definition.kinds.sortedSetSink, options, { options: driven });
}

/** Options of `redis.setSink`. */
export interface RedisSetOptions<T> extends OptionsOf<typeof setKind.options> {
  readonly key: string | ((value: T) => string);
  readonly member: (value: T) => string;
  readonly isIn?: (value: T) => boolean;
}

/**
 * Adds members to a set (`SADD`) and removes them (`SREM`). Effectively once, like `redis.hashSink`.
 *
 * @example
 * accounts.to('blocked', redis.setSink({ key: 'blocked', member: (a) => a.id, isIn: (a) => a.blocked }));
 */
export function setSink<T>(options: RedisSetOptions<T>): Sink<T> {
  const key = nameOf(options.key);
  const member = options.member as (value: unknown) => string;
  const isIn = options.isIn as ((value: unknown) => boolean) | undefined;
  const driven: Write = {
    key,
    strings: (value) => [isIn === undefined || isIn(value) ? 'SADD' : 'SREM', member(value)],
    unrepresentable: (value) => unrepresentableKey('key', key(value)) ?? unrepresentableKey('member', member(value)),
    ttl: options.ttl,
  };
  return sinkOf(definition.kinds.setSink, options, { options: driven });
}

/** Options of `redis.counterSink`. */
export interface RedisCounterOptions<T> extends OptionsOf<typeof counterKind.options> {
  readonly key: string | ((value: T) => string);
  readonly field?: string | ((value: T) => string);
  readonly by?: (value: T) => number;
}

/**
 * Adds each value to a number (`INCRBY`; `HINCRBY` with `field`). Effectively once: one call updates the fence and the sum, so a
 * replay, or a process that lost its task, adds nothing. After an offset reset or a restored savepoint, records that are read again
 * are added again: delete the keys first.
 *
 * @example
 * payments.to('spent', redis.counterSink({ key: (p) => `spent:${p.account}`, field: (p) => p.day, by: (p) => p.cents, ttl: days(40) }));
 */
export function counterSink<T>(options: RedisCounterOptions<T>): Sink<T> {
  const { field, ttl, fractions } = resolve(counterKind, options);
  const key = nameOf(options.key);
  const by = (options.by as ((value: unknown) => number) | undefined) ?? (() => 1);
  const fieldOf = field === undefined ? undefined : nameOf(field);
  const command = `${fieldOf === undefined ? '' : 'H'}INCRBY${fractions ? 'FLOAT' : ''}`;
  const fits = fractions ? Number.isFinite : Number.isSafeInteger;
  const driven: Write = {
    key,
    strings: (value) =>
      fieldOf === undefined ? [command, String(by(value))] : [command, fieldOf(value), String(by(value))],
    unrepresentable: (value) => {
      const amount = by(value);
      if (!fits(amount)) return notA('by', amount, fractions ? 'a number' : 'a whole number');
      return (
        unrepresentableKey('key', key(value)) ??
        (fieldOf === undefined ? undefined : unrepresentableKey('field', fieldOf(value)))
      );
    },
    ttl,
  };
  return sinkOf(definition.kinds.counterSink, options, { options: driven });
}

const isMissing = (score: unknown): boolean => score === null || score === undefined;

const notA = (option: string, value: unknown, wanted: string): string =>
  `\`${option}\` gives ${typeof value === 'number' ? value : `something of type ${typeof value}`}, not ${wanted}`;
