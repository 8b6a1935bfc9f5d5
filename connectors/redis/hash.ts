import { sinkOf } from '../../src/connect/make.js';
import type { OptionsOf } from '../../src/core/options.js';
import { afterOf, type Change, keyOfChange, type MetricRow } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { hashKind, metricsKind, upsertsKind } from './kinds.js';
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
  const { key, ttl, newest } = options;
  const driven: HashSinkOptions = { key: key as (value: unknown) => string, ttl, newest };
  return sinkOf(definition.kinds.hashSink, options, { options: driven });
}

/** Options of `redis.metricsSink`. */
export type RedisMetricsOptions = OptionsOf<typeof metricsKind.options>;

/**
 * Keeps the newest measurement of each metric, slice and model version, and each counter, as a hash: a metrics sink of a topology, beside
 * `clickhouse.metricsSink`, whose last row of the same it is. The key is `<prefix><topology>:<step>:<task>:<name>:<slice>:<version>`; the
 * fields are those of a `MetricRow`. A row of an earlier event time than the one that is there changes nothing. Everything else is as of
 * `redis.hashSink`.
 *
 * @example
 * topology('flights', { deadLetters, metrics: [clickhouse.metricsSink({ table: 'metrics' }), redis.metricsSink({ ttl: days(7) })] }, build);
 */
export function metricsSink(options: RedisMetricsOptions): Sink<MetricRow> {
  const { prefix = 'metrics:', ttl } = options;
  const driven: HashSinkOptions = {
    key(row) {
      const { topology, step, task, name, slice, version } = row as MetricRow;
      return prefix + [topology, step, task, name, slice, version].join(':');
    },
    ttl,
    newest: 'eventTimeMs',
  };
  return sinkOf(definition.kinds.metricsSink, options, { options: driven });
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
