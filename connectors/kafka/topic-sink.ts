import { MillraceError } from '../../src/core/errors.js';
import { partitionOf } from '../../src/core/partition.js';
import type { DeadLetter, Origin } from '../../src/core/record.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import type { SinkContext, SinkDriver, SinkWriter } from '../../src/core/sink.js';
import { encodingWriter, keyEncoder, mismatchText } from '../../src/core/sink.js';
import { openCodec, registerSchema } from '../../src/schema/index.js';
import { counted } from '../../src/util/counted.js';
import type { Admin } from './admin.js';
import type { TaskSessions } from './checkpoint/task-session.js';
import { type Cluster, noTopic } from './connection/cluster.js';
import { fittingLetter, letterWriter } from './dead-letter-record.js';
import type { RecordToEncode } from './protocol/record-batch-encode.js';
import { RECORD_LIMIT } from './record-limit.js';
import { setUpTopic, topicMismatches } from './topic-mismatch.js';
import { type DeadLetterSinkOptions, headersFor, type TopicSinkOptions } from './topic-options.js';
import type { Transaction } from './transaction.js';

/** A dead letter carries a record, which may be as large as its topic allows, and headers. */
const DEAD_LETTER_TOPIC = { [RECORD_LIMIT]: String(16 * 1024 * 1024) };

/** About what the headers of a letter take, at most. */
const LETTER_HEADERS_BYTES = 65_536;

/** One outgoing record and its partition. */
interface Outgoing extends RecordToEncode {
  readonly partition: number;
}

/**
 * The driver of `kafka.sink`, `kafka.upsertSink` and `kafka.deadLetterSink`. Writes are part of the task's transaction and become
 * visible with its checkpoint.
 */
export function kafkaTopicSink(
  cluster: Cluster,
  admin: Admin,
  sessions: TaskSessions,
  registry: SchemaRegistry,
  onWarning: (message: string) => void,
  letterKey?: Buffer,
): SinkDriver {
  return {
    mode: 'transactional',
    mismatches: (sink) => topicMismatches(cluster, admin, sink.options as DeadLetterSinkOptions),
    async setUp(sink, { partitions, inputs = [] }) {
      const { schema, ...declared } = sink.options as Partial<TopicSinkOptions> & DeadLetterSinkOptions;
      // Before anything runs, so that a schema that the registry refuses does not fail in the middle of a stream.
      if (schema !== undefined) await registerSchema(schema, registry);
      if (sink.kind === 'kafka.deadLetterSink') letterWriter(sink.options as DeadLetterSinkOptions, letterKey);
      const defaults = sink.kind === 'kafka.deadLetterSink' ? DEAD_LETTER_TOPIC : {};
      const wanted = { ...declared, partitionsByDefault: partitions };
      await setUpTopic(cluster, admin, wanted, defaults, (mismatch) => onWarning(mismatchText(mismatch)));
      if (sink.kind === 'kafka.deadLetterSink') await warnOfCutLetters(admin, declared.topic, inputs, onWarning);
    },
    async open(sink, context) {
      const { topic, compression } = sink.options as Pick<TopicSinkOptions, 'topic' | 'compression'>;
      const transaction = transactionOf(sessions, context);
      if (compression !== undefined) transaction.compress(topic, compression);
      const found = await cluster.topic(topic);
      if (!found) throw noTopic(topic);
      const bytesMax = await admin.recordBytesMax(topic);
      transaction.limit(topic, bytesMax);
      const partitions = found.leaders.length;
      const encode =
        sink.kind === 'kafka.deadLetterSink'
          ? letterEncoder(sink.options as DeadLetterSinkOptions, partitions, letterKey, bytesMax)
          : await valueEncoder(sink.options as TopicSinkOptions, partitions, registry);
      return topicWriter(topic, transaction, encode);
    },
  };
}

/** Says which inputs may have records that are cut as dead letters. */
async function warnOfCutLetters(
  admin: Admin,
  topic: string,
  inputs: readonly string[],
  onWarning: (message: string) => void,
): Promise<void> {
  const bytesMax = await admin.recordBytesMax(topic);
  for (const input of new Set(inputs)) {
    const inputBytesMax = await admin.recordBytesMax(input);
    if (inputBytesMax <= bytesMax || !Number.isFinite(inputBytesMax)) continue;
    onWarning(
      `dead letters of '${input}' may be cut to their first 64 KiB: it takes records of ${counted(inputBytesMax, 'byte')}, ` +
        `the dead-letter topic '${topic}' of ${counted(bytesMax, 'byte')}; kafka-configs --alter --entity-type topics ` +
        `--entity-name ${topic} --add-config '${RECORD_LIMIT}=${inputBytesMax + LETTER_HEADERS_BYTES}'`,
    );
  }
}

function topicWriter(
  topic: string,
  transaction: Transaction,
  encode: (value: unknown, origin: Origin) => Outgoing,
): SinkWriter {
  return {
    ...encodingWriter({
      encode,
      refusal: (record) => transaction.refusal(topic, record),
      append(encoded) {
        for (const record of encoded) transaction.add(topic, record.partition, record);
        return transaction.congested ? transaction.settle() : undefined;
      },
    }),
    // The commit or the close of the ledger ends the transaction.
    close: async () => undefined,
  };
}

async function valueEncoder(options: TopicSinkOptions, partitions: number, registry: SchemaRegistry) {
  const { schema, key, content } = options;
  const codec = await openCodec(schema, registry);
  const encode = codec.textOf ?? codec.encode;
  const headers = headersFor(options);
  const timestampOf = timestamps();
  const keyBytes = keyEncoder();
  return (value: unknown, origin: Origin): Outgoing => {
    const bytes = key ? keyBytes(key(value)) : origin.key;
    const written = content ? content(value) : value;
    return {
      key: bytes,
      value: content && written === null ? null : encode(written),
      timestampMs: timestampOf(origin),
      headers: headers(origin),
      // Without a key the origin decides, not a counter: a replay must append to the same partition.
      partition: bytes ? partitionOf(bytes, partitions) : origin.partition % partitions,
    };
  };
}

function letterEncoder(
  options: DeadLetterSinkOptions,
  partitions: number,
  letterKey: Buffer | undefined,
  bytesMax: number,
) {
  const recordOf = letterWriter(options, letterKey);
  const timestampOf = timestamps();
  return (value: unknown): Outgoing => {
    const letter = value as DeadLetter;
    const { origin } = letter;
    const record = fittingLetter(recordOf(letter), bytesMax);
    return { ...record, timestampMs: timestampOf(origin), partition: origin.partition % partitions };
  };
}

/**
 * The event time, at most the clock: the broker refuses later ones, which bad data may have. The clock is read only for times
 * later than its last reading.
 */
function timestamps(): (origin: Origin) => number {
  let nowMs = 0;
  return ({ eventTimeMs }) => {
    if (!(eventTimeMs >= 0)) return 0;
    if (eventTimeMs > nowMs) nowMs = Date.now();
    return Math.floor(Math.min(eventTimeMs, nowMs));
  };
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
