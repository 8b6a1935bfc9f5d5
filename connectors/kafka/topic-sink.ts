import { MillraceError } from '../../src/core/errors.js';
import { partitionOf } from '../../src/core/partition.js';
import type { DeadLetter, Origin, OutgoingRecord } from '../../src/core/record.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import type { ConfigMismatch, SinkContext, SinkDriver, SinkWriter } from '../../src/core/sink.js';
import { keyBytes, unwritable } from '../../src/core/sink.js';
import { openCodec, registerSchema } from '../../src/schema/index.js';
import type { Admin } from './admin.js';
import type { TaskSessions } from './checkpoint/task-session.js';
import { type Cluster, noTopic } from './connection/cluster.js';
import { fittingLetter, letterWriter } from './dead-letter-record.js';
import { setUpTopic, topicMismatches } from './topic-mismatch.js';
import { type DeadLetterSinkOptions, headersFor, type TopicSinkOptions } from './topic-options.js';
import type { Transaction } from './transaction.js';

/** A dead letter carries a record, which may be as large as its topic allows, and headers. */
const DEAD_LETTER_TOPIC = { 'max.message.bytes': String(16 * 1024 * 1024) };

/** One outgoing record and its partition. */
type Outgoing = readonly [partition: number, record: OutgoingRecord];

/**
 * The driver of `kafka.sink`, `kafka.upsertSink` and `kafka.deadLetterSink`. Writes are part of the task's transaction and become
 * visible with its checkpoint.
 */
export function kafkaTopicSink(
  cluster: Cluster,
  admin: Admin,
  sessions: TaskSessions,
  registry: SchemaRegistry,
  onMismatch: (mismatch: ConfigMismatch) => void,
  letterKey?: Buffer,
): SinkDriver {
  return {
    mode: 'transactional',
    mismatches: (sink) => topicMismatches(cluster, admin, sink.options as DeadLetterSinkOptions),
    async setUp(sink, { partitions }) {
      const { schema, ...declared } = sink.options as Partial<TopicSinkOptions> & DeadLetterSinkOptions;
      // Before anything runs, so that a schema that the registry refuses does not fail in the middle of a stream.
      if (schema !== undefined) await registerSchema(schema, registry);
      if (sink.kind === 'kafka.deadLetterSink') letterWriter(sink.options as DeadLetterSinkOptions, letterKey);
      const defaults = sink.kind === 'kafka.deadLetterSink' ? DEAD_LETTER_TOPIC : {};
      await setUpTopic(cluster, admin, { ...declared, partitionsByDefault: partitions }, defaults, onMismatch);
    },
    async open(sink, context) {
      const { topic, compression } = sink.options as Pick<TopicSinkOptions, 'topic' | 'compression'>;
      const transaction = transactionOf(sessions, context);
      if (compression !== undefined) transaction.compress(topic, compression);
      const found = await cluster.topic(topic);
      if (!found) throw noTopic(topic);
      const outgoing =
        sink.kind === 'kafka.deadLetterSink'
          ? letterEncoder(
              sink.options as DeadLetterSinkOptions,
              found.leaders.length,
              letterKey,
              Number((await admin.setting(topic, 'max.message.bytes')) ?? Number.POSITIVE_INFINITY),
            )
          : await valueEncoder(sink.options as TopicSinkOptions, found.leaders.length, registry, context.step);
      return topicWriter(topic, transaction, outgoing);
    },
  };
}

function topicWriter(
  topic: string,
  transaction: Transaction,
  outgoing: (value: unknown, origin: Origin, nowMs: number) => Outgoing,
): SinkWriter {
  return {
    write(values, origins) {
      const nowMs = Date.now();
      for (let i = 0; i < values.length; i += 1) {
        const [partition, record] = outgoing(values[i], origins[i] as Origin, nowMs);
        transaction.add(topic, partition, record);
      }
      return transaction.congested ? transaction.settle() : undefined;
    },
    // The commit or the close of the ledger ends the transaction.
    close: async () => undefined,
  };
}

async function valueEncoder(options: TopicSinkOptions, partitions: number, registry: SchemaRegistry, step: string) {
  const { schema, key, content } = options;
  const codec = await openCodec(schema, registry);
  const headers = headersFor(options);
  const outgoing = (value: unknown, origin: Origin, nowMs: number): Outgoing => {
    const bytes = key ? keyBytes(key(value)) : origin.key;
    const written = content ? content(value) : value;
    const record = {
      key: bytes,
      value: content && written === null ? null : codec.encode(written),
      timestampMs: timestampOf(origin, nowMs),
      headers: headers(origin),
    };
    // Without a key the origin decides, not a counter: a replay must append to the same partition.
    return [bytes ? partitionOf(bytes, partitions) : origin.partition % partitions, record];
  };
  return (value: unknown, origin: Origin, nowMs: number): Outgoing => {
    try {
      return outgoing(value, origin, nowMs);
    } catch (error) {
      throw unwritable(error, step, origin);
    }
  };
}

function letterEncoder(
  options: DeadLetterSinkOptions,
  partitions: number,
  letterKey: Buffer | undefined,
  bytesMax: number,
) {
  const recordOf = letterWriter(options, letterKey);
  return (value: unknown, _origin: Origin, nowMs: number): Outgoing => {
    const letter = value as DeadLetter;
    const { origin } = letter;
    const record = fittingLetter(recordOf(letter), bytesMax);
    return [origin.partition % partitions, { ...record, timestampMs: timestampOf(origin, nowMs) }];
  };
}

/** The event time, at most the broker's clock: the broker refuses later ones, which bad data may have. */
function timestampOf({ eventTimeMs }: Origin, nowMs: number): number {
  return eventTimeMs >= 0 ? Math.floor(Math.min(eventTimeMs, nowMs)) : 0;
}

/** The transaction of the task that a sink belongs to. */
export function transactionOf(sessions: TaskSessions, { task, step }: SinkContext): Transaction {
  const session = sessions.of(task);
  if (session) return session.transaction;
  throw new MillraceError('config', `task ${task.partition} of '${task.topology}' has no ledger on this cluster`, {
    where: step,
    hint: "Kafka's sinks write inside the transaction of Kafka's ledger: use both from the same profile",
  });
}
