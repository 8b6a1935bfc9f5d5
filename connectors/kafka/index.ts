import { afterOf, type Change, keyOfChange, type Upsert } from '../../src/core/change.js';
import { type Duration, formatDuration } from '../../src/core/duration.js';
import type { Sink, Source } from '../../src/core/io.js';
import { type PassedHeaders, passedHeadersText } from '../../src/core/passed-headers.js';
import type { DeadLetter } from '../../src/core/record.js';
import type { Schema } from '../../src/core/schema.js';
import type { Compression, DeadLetterSinkOptions, TopicDeclaration, TopicSinkOptions } from '../../src/core/sinks.js';
import { topicNameProblems } from '../../src/core/topic-name.js';

export interface KafkaSourceOptions<T> {
  readonly topic: string;
  readonly schema: Schema<T>;
  /** Event time in milliseconds since 1970; the record's own timestamp by default. */
  readonly eventTime?: (value: T) => number;
  /**
   * How long (processing time) the other inputs of a task wait while this one brings nothing; for ever by default. With
   * it the merged order depends on the clock, so sinks outside Kafka's transaction are written after the checkpoint.
   */
  readonly idleMax?: Duration;
  /**
   * How far (event time) a record may trail the latest one before it in its partition; none by default. Windows and timers
   * wait for as long; what comes later still is late.
   */
  readonly disorderMax?: Duration;
  /**
   * Where to go on when the log has no more what comes next, because it was deleted before it was read: at the oldest record
   * that is left, or at the end. What is passed over is lost; a warning and the counter `skipped` tell how much. `fail` by
   * default: the run stops and says so, as it always does where a topic was cut.
   */
  readonly whenGone?: 'fail' | 'earliest' | 'latest';
}

export interface KafkaGlobalTableOptions<T> extends Omit<KafkaSourceOptions<T>, 'idleMax'> {
  /** How long (processing time) records wait for a partition of the table that brings nothing. */
  readonly idleMax: Duration | 'never';
}

export interface KafkaSinkOptions<T> extends TopicDeclaration {
  readonly topic: string;
  readonly schema: Schema<T>;
  /** The record's key, as UTF-8; it decides the partition. Without it the origin's key is passed on. */
  readonly key?: (value: T) => string;
  /** Partitions of the topic where it does not exist yet; those of the task's inputs by default. */
  readonly partitions?: number;
  /** How batches are compressed; as `kafkaCompression` says by default. */
  readonly compression?: Compression;
  /**
   * Headers of the record that a value comes from which go with it: some names, such as `traceHeaders`, or `'all'`; none by
   * default. Where several records make one value, such as that of a window, it is the one that brought it about.
   */
  readonly headers?: PassedHeaders;
}

/** As those of `kafka.sink`; the key is that of the change, and `configs` begin with `cleanup.policy=compact`. */
export type KafkaUpsertsOptions<T> = Omit<KafkaSinkOptions<T>, 'key'>;

/**
 * Topics as inputs and outputs of a topology: inert data, read by the profile that runs it. Nothing here connects to
 * anything, and no client library is loaded; `openKafka` in `./open.js` is where that happens.
 */
export const kafka = {
  /**
   * Reads a topic, committed records only, in the order of each partition.
   *
   * @example
   * t.source('departed', kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1, eventTime: (f) => f.departedAt }));
   */
  source<T>({ topic, schema, eventTime, idleMax, disorderMax, whenGone = 'fail' }: KafkaSourceOptions<T>): Source<T> {
    const eventTimeOf = eventTime as ((value: unknown) => number) | undefined;
    return Object.freeze({
      connector: 'kafka',
      kind: 'kafka.source',
      topic,
      schema: schema as Schema<unknown>,
      problems: topicNameProblems(topic),
      settings: Object.freeze({
        topic,
        schema: schema.subject,
        eventTime: eventTime ? 'field' : 'timestamp',
        ...(idleMax === undefined ? {} : { idleMax: formatDuration(idleMax) }),
        ...(disorderMax === undefined ? {} : { disorderMax: formatDuration(disorderMax) }),
        ...(whenGone === 'fail' ? {} : { whenGone }),
      }),
      idleMax,
      disorderMax,
      whenGone: whenGone === 'fail' ? undefined : whenGone,
      eventTimeOf: eventTimeOf ?? ((_value: unknown, timestampMs: number) => timestampMs),
    });
  },

  /**
   * Reads a compacted topic as a table: each record says what is now true of its key, a tombstone that nothing is. The
   * values are `Upsert`s; `table()` makes changes of them. Event time is the record's own timestamp unless `eventTime` says
   * otherwise; a tombstone has no other.
   *
   * @example
   * const rates = t.source('rates', kafka.table({ topic: 'rates.v1', schema: RateV1 })).via('rate', table({ keysMax: 10_000 }));
   */
  table<T>({ eventTime, ...options }: KafkaSourceOptions<T>): Source<Upsert<T>> {
    const source = kafka.source({ ...options, schema: options.schema as Schema<unknown> });
    return Object.freeze({
      ...source,
      kind: 'kafka.table',
      settings: Object.freeze({ ...source.settings, eventTime: eventTime ? 'field' : 'timestamp' }),
      upserts: true,
      eventTimeOf: (upsert: unknown, timestampMs: number) => {
        const { value } = upsert as Upsert<T>;
        return eventTime && value !== null ? eventTime(value) : timestampMs;
      },
    }) as Source<Upsert<T>>;
  },

  /**
   * A small table that every task has as a whole: each reads all partitions of the compacted topic, whatever their number, so
   * what is joined with it may have any key. Otherwise as `table`. `idleMax` must be said, since such a table seldom changes:
   * with a duration, records do not wait longer for a change that may come; with `never` they wait, and results are the same
   * in every replay.
   *
   * Memory, changelog and reading: the table once for each task.
   *
   * @example
   * const rates = t.source('rates', kafka.globalTable({ topic: 'rates.v1', schema: RateV1, idleMax: seconds(1) })).via('rate', table({ keysMax: 200 }));
   * orders.via('in-euro', { table: rates }, joinTable({ key: (o) => o.currency, combine, keysMax: 200, pendingMax: 100_000 }));
   */
  globalTable<T>({ idleMax, ...options }: KafkaGlobalTableOptions<T>): Source<Upsert<T>> {
    const source = kafka.table(idleMax === 'never' ? options : { ...options, idleMax });
    return Object.freeze({ ...source, kind: 'kafka.globalTable', global: true });
  },

  /**
   * Appends every value to a topic, in the transaction that also stores the checkpoint. The partition is the murmur2
   * hash of the key, as Java's clients choose it; equal keys stay in order.
   *
   * @example
   * predictions.to('predictions', kafka.sink({ topic: 'predictions.v1', schema: PredictionV1, key: (p) => p.origin }));
   */
  sink<T>({ topic, schema, key, partitions, compression, headers, ...declared }: KafkaSinkOptions<T>): Sink<T> {
    const options: TopicSinkOptions = {
      topic,
      schema: schema as Schema<unknown>,
      key: key as ((value: unknown) => string) | undefined,
      partitions,
      compression,
      headers,
      ...declared,
    };
    const settings = {
      topic,
      schema: schema.subject,
      key: key ? 'field' : 'origin',
      ...(partitions === undefined ? {} : { partitions }),
      ...(compression === undefined ? {} : { compression }),
      ...(headers === undefined ? {} : { headers: passedHeadersText(headers) }),
      ...declarationText(declared),
    };
    return Object.freeze({
      connector: 'kafka',
      kind: 'kafka.sink',
      problems: topicNameProblems(topic),
      settings: Object.freeze(settings),
      options: Object.freeze(options),
    });
  },

  /**
   * Writes corrections into a compacted topic, under the key of the change: what is held to be true now, and a tombstone where
   * that is nothing. So the newest record of each key is the current one, for `kafka.table` and for every other reader.
   * Exactly once, as `kafka.sink`. A topic that is made here is compacted; one that is there and is not is told of.
   *
   * @example
   * hourly.to('hourly', kafka.upserts({ topic: 'trips-per-hour.v1', schema: HourV1 })); // a window with `emit: onUpdate()`
   */
  upserts<T>({ schema, configs, ...options }: KafkaUpsertsOptions<T>): Sink<Change<T>> {
    const compacted = { 'cleanup.policy': 'compact', ...configs };
    const sink = kafka.sink({
      ...options,
      schema: schema as Schema<unknown>,
      key: keyOfChange,
      configs: compacted,
    });
    return Object.freeze({
      ...sink,
      kind: 'kafka.upserts',
      changes: true,
      settings: Object.freeze({ ...sink.settings, key: 'of the change' }),
      options: Object.freeze({ ...(sink.options as TopicSinkOptions), content: afterOf }),
    });
  },

  /**
   * Keeps what could not be processed: the bytes as they came, with reason, step and origin in headers
   * (`deadLetterHeaders`), so that each record can be looked at and sent again.
   *
   * @example
   * topology('flights', { deadLetters: kafka.deadLetters({ topic: 'flights.dead' }) }, build);
   */
  deadLetters(options: DeadLetterSinkOptions): Sink<DeadLetter> {
    const { topic, partitions, ...declared } = options;
    return Object.freeze({
      connector: 'kafka',
      kind: 'kafka.deadLetters',
      problems: topicNameProblems(topic),
      settings: Object.freeze({
        topic,
        ...(partitions === undefined ? {} : { partitions }),
        ...declarationText(declared),
      }),
      options: Object.freeze({ ...options }),
    });
  },
} as const;

/** A declaration as settings show it. */
function declarationText({ replication, configs, create, drift }: TopicDeclaration): Record<string, string | number> {
  const pairs = Object.entries(configs ?? {}).map(([name, value]) => `${name}=${value}`);
  return {
    ...(replication === undefined ? {} : { replication }),
    ...(pairs.length === 0 ? {} : { configs: pairs.join(' ') }),
    ...(create === false ? { create: 'no' } : {}),
    ...(drift === undefined ? {} : { drift }),
  };
}
