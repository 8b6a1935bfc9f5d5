import { type Kafka, openKafka } from '../../../connectors/kafka/open.js';
import type { OutgoingRecord, RawRecord } from '../../../src/core/record.js';
import type { Schema, SchemaRegistry } from '../../../src/core/schema.js';
import {
  avro,
  confluentRegistry,
  DecodeFailure,
  jsonSchema,
  openCodec,
  openDecoder,
  protobuf,
} from '../../../src/schema/index.js';
import { address } from '../address.js';
import { readAll } from '../kafka/world.js';
import type { CaseSchema, PayloadCase } from './case.js';

export interface OurClient {
  readonly registry: SchemaRegistry;
  createTopic(topic: string): Promise<void>;
  append(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  readAll(topic: string): Promise<RawRecord[]>;
  close(): Promise<void>;
}

/** Our own producer and source, over one connection to the broker. */
export async function openOurs(compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd' = 'none'): Promise<OurClient> {
  const registry = confluentRegistry({ url: address('MILLRACE_REGISTRY') });
  const kafka: Kafka = await openKafka({ brokers: [address('MILLRACE_KAFKA')], registry, compression });
  const producer = kafka.producer();
  return {
    registry,
    createTopic: (topic) => producer.createTopic(topic, 1),
    append: (topic, records) => producer.append(topic, 0, records),
    readAll: (topic) => readAll(kafka, topic),
    async close() {
      await producer.close();
      await kafka.close();
    },
  };
}

/** The schema of a case as ours: whole numbers of 64 bits as `bigint`, times as `Date`. */
export function schemaOf(
  { format }: Pick<PayloadCase, 'format'>,
  { text, message = '' }: CaseSchema,
  subject: string,
  framing: 'registry' | 'none' = 'registry',
): Schema<unknown> {
  const options = { subject, definition: text, framing };
  if (format === 'avro') return avro<unknown>({ ...options, long: 'bigint', timestamp: 'date' });
  if (format === 'protobuf') return protobuf<unknown>({ ...options, message, long: 'bigint' });
  return jsonSchema<unknown>(options);
}

export const encode = async (schema: Schema<unknown>, value: unknown, registry: SchemaRegistry): Promise<Uint8Array> =>
  (await openCodec(schema, registry)).encode(value);

/** What a payload is under a schema of ours; what cannot be read is its reason. */
export async function decode(schema: Schema<unknown>, record: RawRecord, registry: SchemaRegistry): Promise<unknown> {
  const decoder = await openDecoder(schema, registry);
  await decoder.prepare([record]);
  try {
    return decoder.decode(record.value as Uint8Array);
  } catch (error) {
    if (error instanceof DecodeFailure) return { refused: error.reason };
    throw error;
  }
}

export const recordOf = (value: Uint8Array): OutgoingRecord => ({ key: null, value, timestampMs: Date.now() });

/** Registers a schema and writes values under it to a topic of its own, by a client of its own. */
export async function weWrite<T>(topic: string, schema: Schema<T>, values: readonly T[]): Promise<void> {
  const ours = await openOurs();
  try {
    const codec = await openCodec(schema, ours.registry);
    await ours.createTopic(topic);
    await ours.append(
      topic,
      values.map((value) => recordOf(codec.encode(value))),
    );
  } finally {
    await ours.close();
  }
}
