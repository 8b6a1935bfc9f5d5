import type { Duration } from './duration.js';
import { headerPicker, type PassedHeaders } from './passed-headers.js';
import type { Headers, Origin } from './record.js';
import type { Schema } from './schema.js';

// Options that more than one connector understands: the embedded profile serves Kafka's topics and Redis's hashes too.

/** How records are compressed, a batch at a time. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** What a topic is to be like, on logs of which that can be said; the others take no notice. */
export interface TopicDeclaration {
  /** Replicas of each partition; as `kafkaReplication` says by default. */
  readonly replication?: number | undefined;
  /** The broker's own settings for the topic, such as `{ 'retention.ms': 604_800_000, 'min.insync.replicas': 2 }`. */
  readonly configs?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Whether it is created where it is missing; it is by default. */
  readonly create?: boolean | undefined;
  /** What to do where it is there and not as declared: `warn` by default. Nothing is ever changed. */
  readonly onMismatch?: 'warn' | 'fail' | 'ignore' | undefined;
}

/** Options of a sink that appends to a topic. */
export interface TopicSinkOptions extends TopicDeclaration {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  /** What is written of a value: all of it where this is missing. Of `null`, a tombstone is. */
  readonly content?: ((value: unknown) => unknown) | undefined;
  /** The record's key, as UTF-8; it decides the partition. Without it the origin's key is passed on. */
  readonly key: ((value: unknown) => string) | undefined;
  /** Partitions of the topic where it does not exist yet; those of the task's inputs by default. */
  readonly partitions: number | undefined;
  /** Name each record's origin in headers (`deadLetterHeaders`): for who compares what two runs made of one record. */
  readonly nameOrigin?: boolean | undefined;
  /** Headers of the record that a value comes from which go with it; none by default. */
  readonly headers?: PassedHeaders | undefined;
  /** What the profile says where it is missing; logs that do not compress take no notice. */
  readonly compression?: Compression | undefined;
}

/** Options of a sink that takes dead letters: raw bytes as they came, with reason, step and origin in headers. */
export interface DeadLetterSinkOptions extends TopicDeclaration {
  readonly topic: string;
  /** Partitions of the topic where it does not exist yet; those of the task's inputs by default. */
  readonly partitions?: number | undefined;
}

/** Options of a sink that keeps the newest value of a key as a hash of fields. */
export interface HashSinkOptions {
  readonly key: (value: unknown) => string;
  /** What is written of a value: all of it where this is missing. `null` takes the hash away. */
  readonly content?: ((value: unknown) => unknown) | undefined;
  /** For ever where it is missing. */
  readonly ttl: Duration | undefined;
}

/** When a table's rows are deleted, or moved to other storage. */
export interface TableTtl {
  /** The column of a time from which it counts. */
  readonly since: string;
  readonly after: Duration;
  /** Deleted where this is missing. */
  readonly to?: { readonly disk: string } | { readonly volume: string } | undefined;
}

/** A query with a name, kept beside the table of a sink. */
export interface TableView {
  readonly name: string;
  readonly as: string;
  /** How often its result is stored; where it is missing the query runs when somebody reads. */
  readonly every?: Duration | undefined;
  /** What the stored result is sorted by. */
  readonly orderBy: readonly string[];
}

/** Options of a sink that inserts rows into a table. */
export interface TableSinkOptions {
  readonly table: string;
  /** Column names and their ClickHouse types; fields that are not named are not written. */
  readonly columns: Readonly<Record<string, string>>;
  /** What the rows are: its fields are columns too, of the types that follow from it. */
  readonly schema?: Schema<unknown> | undefined;
  /** Leading columns of the sorting key, before the row's identity. */
  readonly orderBy: readonly string[];
  /** A column that the table itself fills with the time of the insert. */
  readonly insertedAt?: string | undefined;
  /** What a run changes about a table that is there: nothing, columns that are missing, or types too. */
  readonly migrate?: 'stop' | 'add' | 'widen' | undefined;
  readonly partitionBy?: string | undefined;
  readonly ttl?: TableTtl | undefined;
  readonly storagePolicy?: string | undefined;
  readonly views?: readonly TableView[] | undefined;
}

/** Options of a sink that keeps the newest row of a key in a table. */
export interface UpsertTableOptions {
  readonly table: string;
  /** Column names and their ClickHouse types, that of the key among them. */
  readonly columns: Readonly<Record<string, string>>;
  /** The column that holds the key of a change. */
  readonly key: string;
  /** Leading columns of the sorting key, before that of the key. */
  readonly orderBy: readonly string[];
  readonly migrate?: TableSinkOptions['migrate'];
}

/** The names of the headers that a dead letter carries; of them, topic, partition and offset are those of its origin. */
export const deadLetterHeaders = {
  reason: 'millrace.reason',
  detail: 'millrace.detail',
  step: 'millrace.step',
  topic: 'millrace.topic',
  partition: 'millrace.partition',
  offset: 'millrace.offset',
} as const;

/** Headers that say which record a value comes from. */
export const originHeaders = ({ topic, partition, offset }: Origin): Headers => [
  [deadLetterHeaders.topic, Buffer.from(topic)],
  [deadLetterHeaders.partition, Buffer.from(String(partition))],
  [deadLetterHeaders.offset, Buffer.from(String(offset))],
];

/** The headers of what is written to a topic. */
export function headersFor({ nameOrigin, headers }: TopicSinkOptions): (origin: Origin) => Headers | undefined {
  const passed = headerPicker(headers);
  return nameOrigin ? (origin) => [...originHeaders(origin), ...(passed(origin) ?? [])] : passed;
}
