import { sinkOf, sourceOf } from '../../src/connect/make.js';
import type { Duration } from '../../src/core/duration.js';
import type { KindDefinition, SinkKind, SourceKind } from '../../src/core/kind.js';
import { type OptionsOf, settingsOf } from '../../src/core/options.js';
import { afterOf, type Change, type DeadLetter, keyOfChange, type Upsert } from '../../src/core/record.js';
import type { Schema, SchemaData } from '../../src/core/schema.js';
import type { Sink } from '../../src/core/sink.js';
import type { Source } from '../../src/core/source.js';
import { definition } from './definition.js';
import type { globalTableKind, sinkKind, sourceKind, upsertsKind } from './kinds.js';
import { topicNameProblems } from './topic-name.js';
import type { DeadLetterSinkOptions, TopicSinkOptions } from './topic-options.js';

/** Options of `kafka.source`. */
export interface KafkaSourceOptions<T> extends OptionsOf<typeof sourceKind.options> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T) => number;
}

/** Options of `kafka.globalTableSource`. */
export interface KafkaGlobalTableOptions<T> extends OptionsOf<typeof globalTableKind.options> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T) => number;
  readonly idleTimeout: Duration | 'never';
}

/** Options of `kafka.sink`. */
export interface KafkaSinkOptions<T> extends OptionsOf<typeof sinkKind.options> {
  readonly schema: Schema<T>;
  readonly key?: (value: T) => string;
}

/** Options of `kafka.upsertSink`. The key is that of the change; `configs` get `cleanup.policy=compact`. */
export interface KafkaUpsertsOptions<T> extends OptionsOf<typeof upsertsKind.options> {
  readonly schema: Schema<T>;
}

/**
 * Topics as inputs and outputs of a topology, as inert data. Nothing here connects or loads a client library; `openKafka` in
 * `./open.js` does.
 */
export const kafka = {
  /**
   * Reads a topic, committed records only, in the order of each partition.
   *
   * @example
   * t.source('departed', kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1, eventTime: (f) => f.departedAt }));
   */
  source<T>(options: KafkaSourceOptions<T>): Source<T> {
    const eventTimeOf = options.eventTime as ((value: unknown) => number) | undefined;
    return read(definition.kinds.source, options, eventTimeOf ?? timestampOf);
  },

  /**
   * Reads a compacted topic as a table: a record is the new value of its key, and a tombstone deletes the key. The values are
   * `Upsert`s; `table()` converts them to changes. The event time is the record's timestamp unless `eventTime` is given; for a
   * tombstone it is always the timestamp.
   *
   * @example
   * const rates = t.source('rates', kafka.tableSource({ topic: 'rates.v1', schema: RateV1 })).via('rate', table({ keysMax: 10_000 }));
   */
  tableSource<T>(options: KafkaSourceOptions<T>): Source<Upsert<T>> {
    return Object.freeze({
      ...read<Upsert<T>>(definition.kinds.tableSource, options, timeOfUpsert(options.eventTime)),
      upserts: true,
    });
  },

  /**
   * Reads a small table in every task: each task reads all partitions of the compacted topic, so a stream with any key can be
   * joined with it. Otherwise like `tableSource`. `idleTimeout` is required, since such a table seldom changes: with a duration,
   * records wait no longer than that for a change; with `never` they wait, and every replay gives the same results.
   *
   * Memory, changelog and network: the whole table for each task.
   *
   * @example
   * const rates = t.source('rates', kafka.globalTableSource({ topic: 'rates.v1', schema: RateV1, idleTimeout: seconds(1) })).via('rate', table({ keysMax: 200 }));
   * orders.via('in-euro', { table: rates }, joinTable({ key: (o) => o.currency, combine, keysMax: 200, pendingMax: 100_000 }));
   */
  globalTableSource<T>(options: KafkaGlobalTableOptions<T>): Source<Upsert<T>> {
    const source = read<Upsert<T>>(definition.kinds.globalTableSource, options, timeOfUpsert(options.eventTime));
    const { idleTimeout } = options;
    return Object.freeze({
      ...source,
      idleTimeout: idleTimeout === 'never' ? undefined : idleTimeout,
      upserts: true,
      global: true,
    });
  },

  /**
   * Appends every value to a topic, in the transaction that also stores the checkpoint. The partition is the murmur2 hash of the
   * key, as in Kafka's Java client; records with equal keys stay in order.
   *
   * @example
   * predictions.to('predictions', kafka.sink({ topic: 'predictions.v1', schema: PredictionV1, key: (p) => p.origin }));
   */
  sink<T>(options: KafkaSinkOptions<T>): Sink<T> {
    const { partitions } = options;
    const key = options.key as TopicSinkOptions['key'];
    const driven: TopicSinkOptions = { ...options, schema: options.schema as SchemaData, key, partitions };
    return write(definition.kinds.sink, options, driven, key ? 'field' : 'origin');
  },

  /**
   * Writes changes to a compacted topic under their key: the current value, or a tombstone if there is none. The newest record of
   * each key is its current value, for `kafka.tableSource` and every other reader. Exactly once, like `kafka.sink`. A topic that is
   * created here is compacted; `check` and `run` report an existing one that is not.
   *
   * @example
   * hourly.to('hourly', kafka.upsertSink({ topic: 'trips-per-hour.v1', schema: HourV1 })); // a window with `emit: onUpdate()`
   */
  upsertSink<T>(options: KafkaUpsertsOptions<T>): Sink<Change<T>> {
    const compacted = { ...options, configs: { 'cleanup.policy': 'compact', ...options.configs } };
    const { partitions } = options;
    const schema: SchemaData = options.schema;
    const driven: TopicSinkOptions = { ...compacted, schema, key: keyOfChange, content: afterOf, partitions };
    const sink = write<Change<T>>(definition.kinds.upsertSink, compacted, driven, 'of the change');
    return Object.freeze({ ...sink, changes: true });
  },

  /**
   * Appends what could not be processed: the raw bytes, with reason, step and origin in headers (`deadLetterHeaders`), so that each
   * record can be inspected and sent again.
   *
   * @example
   * topology('flights', { deadLetters: kafka.deadLetterSink({ topic: 'flights.dead' }) }, build);
   */
  deadLetterSink(options: DeadLetterSinkOptions): Sink<DeadLetter> {
    return write(definition.kinds.deadLetterSink, options, options);
  },
} as const;

type EventTimeOf = (value: unknown, timestampMs: number) => number;

const timestampOf: EventTimeOf = (_value, timestampMs) => timestampMs;

const timeOfUpsert =
  <T>(eventTime: ((value: T) => number) | undefined): EventTimeOf =>
  (upsert, timestampMs) => {
    const { value } = upsert as Upsert<T>;
    return eventTime && value !== null ? eventTime(value) : timestampMs;
  };

function read<T>(
  kind: KindDefinition<SourceKind>,
  options: OptionsOf<typeof sourceKind.options> | OptionsOf<typeof globalTableKind.options>,
  eventTimeOf: EventTimeOf,
): Source<T> {
  const { topic, schema, eventTime, idleTimeout, outOfOrdernessMax, onDataLoss, aheadMax } = options;
  return sourceOf(kind, options, {
    topic,
    schema,
    problems: topicNameProblems(topic),
    settings: { ...settingsOf(kind, options), eventTime: eventTime ? 'field' : 'timestamp' },
    idleTimeout: idleTimeout === 'never' ? undefined : idleTimeout,
    outOfOrdernessMax,
    aheadMax,
    onDataLoss: onDataLoss === 'fail' ? undefined : onDataLoss,
    eventTimeOf,
  });
}

/** `key` describes in words which key a record has. */
const write = <T>(
  kind: KindDefinition<SinkKind>,
  options: { readonly topic: string },
  driven: object,
  key?: string,
): Sink<T> =>
  sinkOf(kind, options, {
    problems: topicNameProblems(options.topic),
    settings: { ...settingsOf(kind, options), ...(key === undefined ? {} : { key }) },
    options: driven,
  });
