import { headerPicker, type PassedHeaders } from '../../src/core/passed-headers.js';
import type { Headers, Origin } from '../../src/core/record.js';
import type { Schema } from '../../src/core/schema.js';

// What drivers are told of a topic that a sink writes to: Kafka's, and the embedded log's.

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
  /** What the topic holds of the record: all (`keep`), all with a key (`encrypt`), or nothing (`omit`). */
  readonly raw?: 'keep' | 'encrypt' | 'omit' | undefined;
}

/** The names of the headers that a dead letter carries; of them, topic, partition and offset are those of its origin. */
export const deadLetterHeaders = {
  reason: 'millrace.reason',
  detail: 'millrace.detail',
  step: 'millrace.step',
  topic: 'millrace.topic',
  partition: 'millrace.partition',
  offset: 'millrace.offset',
  /** `encrypt`, `omit` or `cut`, where the record is not there as it was. */
  raw: 'millrace.raw',
  /** Of a record that was cut: the size of its value, and its SHA-256 digest. */
  bytes: 'millrace.bytes',
  digest: 'millrace.sha256',
} as const;

/** The header of a record that was sent again: topic, partition and offset of its dead letter. */
export const REPLAYED = 'millrace.replayed';

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
