import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConnectionPool, deleteRecordsV2, describeLogDirsV4, listTransactionsV0 } from '@platformatic/kafka';
import { Kafka as KafkaJs, logLevel, type Producer } from 'kafkajs';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import { type Kafka, type KafkaOptions, openKafka } from '../../../connectors/kafka/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { OutgoingRecord, RawRecord } from '../../../src/core/record.js';
import type { Schema } from '../../../src/core/schema.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Source } from '../../../src/core/source.js';
import { localRegistry } from '../../../src/schema/index.js';

export const json: Schema<{ readonly n: number }> = { format: 'json', subject: 'numbers-value', definition: undefined };

/** The broker of the tests, `host:port`. */
export function broker(): string {
  const address = process.env.MILLRACE_KAFKA;
  if (!address)
    throw new Error('MILLRACE_KAFKA is not set: start a broker (npm run stack) and set it to its host:port');
  return address;
}

/** A name that no other test has. */
export const fresh = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

export const open = (options: Partial<KafkaOptions> = {}): Promise<Kafka> =>
  openKafka({ brokers: [broker()], registry: localRegistry(), ...options });

export const source = (topic: string): Source<unknown> => specs.source({ topic, schema: json }) as Source<unknown>;

export const sink = (topic: string, key?: (value: { n: number }) => string): Sink<unknown> =>
  specs.sink({ topic, schema: json, ...(key ? { key } : {}) }) as Sink<unknown>;

/** Everything committed in a partition, by our own reader. */
export async function readAll(kafka: Kafka, topic: string, partition = 0, offset = EARLIEST): Promise<RawRecord[]> {
  const reader = await kafka.source.open(source(topic), {
    task: { topology: 'read-all', partition },
    partition,
    offset,
    bounded: true,
    step: 'in',
  });
  const read: RawRecord[] = [];
  for (;;) {
    const { records, ended } = await reader.poll(1_000);
    read.push(...records);
    if (!ended) continue;
    await reader.close();
    return read;
  }
}

/** A client written by others, to write with. */
export async function foreignProducer(transactionalId?: string): Promise<Producer> {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
  const client = new KafkaJs({
    brokers: [broker()],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10, retries: 20 },
  });
  const producer = client.producer(
    transactionalId ? { transactionalId, maxInFlightRequests: 1, idempotent: true } : {},
  );
  await producer.connect();
  return producer;
}

export async function foreignSend(
  producer: Pick<Producer, 'send'>,
  topic: string,
  partition: number,
  records: readonly OutgoingRecord[],
) {
  await producer.send({
    topic,
    messages: records.map(({ key, value, timestampMs, headers = [] }) => ({
      partition,
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
      timestamp: String(timestampMs),
      headers: headersByName(headers),
    })),
  });
}

function headersByName(headers: NonNullable<OutgoingRecord['headers']>): Record<string, Buffer[]> {
  const byName: Record<string, Buffer[]> = {};
  for (const [name, value] of headers) byName[name] = [...(byName[name] ?? []), Buffer.from(value)];
  return byName;
}

/**
 * Waits until the decided transactions of a prefix are seen everywhere: a commit is decided before its markers are in
 * the partitions, and until then readers see what was there before.
 */
export async function settled(prefix: string, at = broker()): Promise<void> {
  const [host = '', port = ''] = at.split(':');
  const pool = new ConnectionPool('test', {});
  try {
    const connection = await pool.get({ host, port: Number(port) });
    for (;;) {
      const { transactionStates } = await listTransactionsV0.api.async(connection, [], [], 0n, null);
      const underWay = transactionStates.filter(
        ({ transactionalId, transactionState }) =>
          transactionalId.startsWith(prefix) && transactionState.startsWith('Prepare'),
      );
      if (underWay.length === 0) return;
      await sleep(5);
    }
  } finally {
    await pool.close();
  }
}

const run = promisify(execFile);

/**
 * Runs a script with librdkafka's Python client, the independent reader and writer of these tests; its last line is the
 * answer, in JSON. `MILLRACE_PYTHON` names the interpreter that has `confluent-kafka`.
 */
export const librdkafka = <T>(script: string, ...args: readonly string[]): Promise<T> =>
  librdkafkaAt(broker(), script, ...args);

/** Likewise on another broker. */
export async function librdkafkaAt<T>(at: string, script: string, ...args: readonly string[]): Promise<T> {
  const python = process.env.MILLRACE_PYTHON ?? 'python3';
  const { stdout } = await run(python, ['-c', PRELUDE + script, at, ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}

const PRELUDE = `
import sys, json
from confluent_kafka import Consumer, Producer, TopicPartition, OFFSET_BEGINNING
broker, *args = sys.argv[1:]
def fail(error, message):
    if error: raise Exception(error)
def read_committed(topic):
    consumer = Consumer({'bootstrap.servers': broker, 'group.id': 'unused', 'isolation.level': 'read_committed',
        'enable.partition.eof': True, 'enable.auto.commit': False})
    partitions = list(consumer.list_topics(topic, 10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    left, found = set(partitions), []
    while left:
        message = consumer.poll(10)
        if message is None: raise Exception('nothing came for ten seconds')
        if message.error(): left.discard(message.partition())
        else: found.append(message)
    consumer.close()
    return found
`;

/** Deletes the records of a partition before an offset, as retention would. */
export async function deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
  const [host = '', port = ''] = broker().split(':');
  const pool = new ConnectionPool('test', {});
  try {
    const connection = await pool.get({ host, port: Number(port) });
    const partitions = [{ partitionIndex: partition, offset: BigInt(offset) }];
    await deleteRecordsV2.api.async(connection, [{ name: topic, partitions }], 30_000);
  } finally {
    await pool.close();
  }
}

/** The committed records of a topic, as librdkafka reads them. */
export interface ForeignRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs: number;
  readonly headers: readonly (readonly [string, string])[];
}

export const foreignRead = (topic: string, at = broker()): Promise<ForeignRecord[]> =>
  librdkafkaAt(
    at,
    `
text = lambda bytes: None if bytes is None else bytes.decode()
print(json.dumps([{'partition': m.partition(), 'offset': m.offset(), 'key': text(m.key()), 'value': text(m.value()),
    'timestampMs': m.timestamp()[1], 'headers': [[name, text(value)] for name, value in m.headers() or []]}
    for m in read_committed(args[0])]))`,
    topic,
  );

/** How many bytes the broker keeps of a topic. */
export async function bytesIn(topic: string): Promise<number> {
  const [host = '', port = ''] = broker().split(':');
  const pool = new ConnectionPool('test', {});
  try {
    const connection = await pool.get({ host, port: Number(port) });
    const { results } = await describeLogDirsV4.api.async(connection, null as never);
    const partitions = results
      .flatMap(({ topics }) => topics.filter(({ name }) => name === topic))
      .flatMap((each) => each.partitions);
    return partitions.reduce((sum, { partitionSize }) => sum + Number(partitionSize), 0);
  } finally {
    await pool.close();
  }
}
