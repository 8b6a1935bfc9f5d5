import { headerPicker, type PassedHeaders } from '../../src/core/passed-headers.js';
import type { Headers, Origin } from '../../src/core/record.js';
import type { Schema } from '../../src/core/schema.js';

// Options of sinks that write to topics, for the drivers of Kafka and of the embedded log.

/** Compression of record batches. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Properties of a topic. The embedded log knows `retention.ms`, `retention.bytes` and `cleanup.policy`, and ignores others. */
export interface TopicDeclaration {
  /** Replicas of each partition; `kafkaReplication` by default. */
  readonly replication?: number | undefined;
  /** The broker's configs of the topic, such as `{ 'retention.ms': 604_800_000, 'min.insync.replicas': 2 }`. */
  readonly configs?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Whether a missing topic is created; true by default. */
  readonly create?: boolean | undefined;
  /** What to do if the topic exists and differs from its declaration: `warn` by default. It is never changed. */
  readonly onMismatch?: 'warn' | 'fail' | 'ignore' | undefined;
}

/** Options of a sink that appends to a topic. */
export interface TopicSinkOptions extends TopicDeclaration {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  /** The part of a value to write (default: all). `null` is written as a tombstone. */
  readonly content?: ((value: unknown) => unknown) | undefined;
  /** The record's key, as UTF-8; it decides the partition. Without it the origin's key is passed on. */
  readonly key: ((value: unknown) => string) | undefined;
  /** Partitions of the topic if it is created; by default those of the task's inputs. */
  readonly partitions: number | undefined;
  /** Write each record's origin as headers (`deadLetterHeaders`), for comparing the outputs of two runs. */
  readonly nameOrigin?: boolean | undefined;
  /** Headers that are passed on from the record that a value comes from; none by default. */
  readonly headers?: PassedHeaders | undefined;
  /** By default that of the profile; logs without compression ignore it. */
  readonly compression?: Compression | undefined;
}

/** Options of a sink for dead letters: the raw bytes, with reason, step and origin in headers. */
export interface DeadLetterSinkOptions extends TopicDeclaration {
  readonly topic: string;
  /** Partitions of the topic if it is created; by default those of the task's inputs. */
  readonly partitions?: number | undefined;
  /** How much of the record is written: all of it (`keep`), all of it encrypted (`encrypt`), or nothing (`omit`). */
  readonly raw?: 'keep' | 'encrypt' | 'omit' | undefined;
}

/** The names of a dead letter's headers; topic, partition and offset are those of its origin. */
export const deadLetterHeaders = {
  reason: 'millrace.reason',
  detail: 'millrace.detail',
  step: 'millrace.step',
  topic: 'millrace.topic',
  partition: 'millrace.partition',
  offset: 'millrace.offset',
  /** `encrypt`, `omit` or `cut`, if the record is not stored as it was. */
  raw: 'millrace.raw',
  /** For a cut record: the size of its value, and its SHA-256 digest. */
  bytes: 'millrace.bytes',
  digest: 'millrace.sha256',
} as const;

/** The header of a record that was sent again: topic, partition and offset of its dead letter. */
export const REPLAYED = 'millrace.replayed';

/** Headers with the record that a value comes from. */
export const originHeaders = ({ topic, partition, offset }: Origin): Headers => [
  [deadLetterHeaders.topic, Buffer.from(topic)],
  [deadLetterHeaders.partition, Buffer.from(String(partition))],
  [deadLetterHeaders.offset, Buffer.from(String(offset))],
];

/** The headers of a record to be written. */
export function headersFor({ nameOrigin, headers }: TopicSinkOptions): (origin: Origin) => Headers | undefined {
  const passed = headerPicker(headers);
  return nameOrigin ? (origin) => [...originHeaders(origin), ...(passed(origin) ?? [])] : passed;
}
