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

/** As those of `kafka.sink`; the key is that of the change, and `configs` begin with `cleanup.policy=compact`. */
export interface KafkaUpsertsOptions<T> extends OptionsOf<typeof upsertsKind.options> {
  readonly schema: Schema<T>;
}

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
  source<T>(options: KafkaSourceOptions<T>): Source<T> {
    const eventTimeOf = options.eventTime as ((value: unknown) => number) | undefined;
    return read(definition.kinds.source, options, eventTimeOf ?? timestampOf);
  },

  /**
   * Reads a compacted topic as a table: each record says what is now true of its key, a tombstone that nothing is. The
   * values are `Upsert`s; `table()` makes changes of them. Event time is the record's own timestamp unless `eventTime` says
   * otherwise; a tombstone has no other.
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
   * A small table that every task has as a whole: each reads all partitions of the compacted topic, whatever their number, so
   * what is joined with it may have any key. Otherwise as `table`. `idleTimeout` must be said, since such a table seldom changes:
   * with a duration, records do not wait longer for a change that may come; with `never` they wait, and results are the same
   * in every replay.
   *
   * Memory, changelog and reading: the table once for each task.
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
   * Appends every value to a topic, in the transaction that also stores the checkpoint. The partition is the murmur2
   * hash of the key, as Java's clients choose it; equal keys stay in order.
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
   * Writes corrections into a compacted topic, under the key of the change: what is held to be true now, and a tombstone where
   * that is nothing. So the newest record of each key is the current one, for `kafka.tableSource` and for every other reader.
   * Exactly once, as `kafka.sink`. A topic that is made here is compacted; one that is there and is not is told of.
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
   * Keeps what could not be processed: the bytes as they came, with reason, step and origin in headers
   * (`deadLetterHeaders`), so that each record can be looked at and sent again.
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

/** `key`: whose key a record has, in words. */
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
