import { fittingLetter, letterWriter } from '../../../connectors/kafka/dead-letter-record.js';
import { RECORD_LIMIT, tooLarge } from '../../../connectors/kafka/record-limit.js';
import { compareTopic } from '../../../connectors/kafka/topic-mismatch.js';
import {
  type DeadLetterSinkOptions,
  headersFor,
  type TopicDeclaration,
  type TopicSinkOptions,
} from '../../../connectors/kafka/topic-options.js';
import { MillraceError } from '../../core/errors.js';
import { type InternalSinkOptions, internalWriter } from '../../core/internal.js';
import { partitionOf } from '../../core/partition.js';
import type { DeadLetter, Origin, OutgoingRecord } from '../../core/record.js';
import type { SchemaRegistry } from '../../core/schema.js';
import type { Sink, SinkContext, SinkDriver, SinkWriter } from '../../core/sink.js';
import { encodingWriter, keyEncoder } from '../../core/sink.js';
import { openCodec, registerSchema } from '../../schema/index.js';
import { retentionOf } from './retention.js';
import type { TaskOutputs, TaskOwners } from './task-outputs.js';
import type { TopicLog } from './topic-log.js';

/** Sinks into topics of the embedded log: values of `kafka.sink` and `kafka.upsertSink`, letters of `kafka.deadLetterSink`, and between subtopologies. */
export function topicSinks(
  log: TopicLog,
  owners: TaskOwners,
  registry: SchemaRegistry,
  now: () => number,
  letterKey?: Buffer,
): SinkDriver {
  return {
    mode: 'transactional',

    async setUp(sink, { partitions }) {
      if (sink.kind === 'kafka.deadLetterSink') letterWriter(sink.options as DeadLetterSinkOptions, letterKey);
      const {
        topic,
        schema,
        partitions: wanted,
        configs,
      } = sink.options as Partial<TopicSinkOptions> & DeadLetterSinkOptions;
      if (schema !== undefined) await registerSchema(schema, registry);
      const exists = log.names().includes(topic);
      // A topic that is there may have any number of partitions unless the sink insists on one.
      if (!exists || wanted !== undefined) await log.create(topic, wanted ?? partitions);
      // No other tool could change it, so the declaration counts at every start.
      const retention = retentionOf(topic, configs);
      if (retention !== undefined) await log.retain(topic, retention);
    },

    async mismatches(sink) {
      const { topic, partitions } = sink.options as TopicSinkOptions;
      if (!log.names().includes(topic)) return [];
      // The embedded log has none of the other properties of a topic.
      return compareTopic(
        { topic, partitions },
        { partitions: log.partitionsOf(topic), replication: 1, configs: NONE },
      );
    },

    async open(sink, { step, task }) {
      const outputs = owners.current(task);
      switch (sink.kind) {
        case 'kafka.sink':
        case 'kafka.upsertSink':
          return valueWriter(log, outputs, sink.options as TopicSinkOptions, registry);
        case 'kafka.deadLetterSink':
          return lettersWriter(log, outputs, sink.options as DeadLetterSinkOptions, letterKey);
        case 'repartition':
          return repartitionWriter(log, outputs, sink.options as InternalSinkOptions, registry, now);
        default:
          throw unknownKind(sink, step);
      }
    },
  };
}

const NONE: ReadonlyMap<string, string> = new Map();

async function valueWriter(
  log: TopicLog,
  outputs: TaskOutputs,
  options: TopicSinkOptions,
  registry: SchemaRegistry,
): Promise<SinkWriter> {
  const { topic, schema, key, content } = options;
  const codec = await openCodec(schema, registry);
  const headers = headersFor(options);
  const partitions = log.partitionsOf(topic);

  const bytesMax = recordBytesMax(options);

  const keyBytes = keyEncoder();
  const outgoing = (value: unknown, origin: Origin) => {
    const bytes = key === undefined ? origin.key : keyBytes(key(value));
    const written = content ? content(value) : value;
    const record: OutgoingRecord = {
      key: bytes,
      value: content && written === null ? null : codec.encode(written),
      timestampMs: origin.eventTimeMs,
      headers: headers(origin),
    };
    // Without a key the origin decides, not a counter: a replay must append to the same partition.
    return { partition: bytes === null ? origin.partition % partitions : partitionOf(bytes, partitions), record };
  };
  return {
    ...encodingWriter({
      encode: outgoing,
      refusal: ({ record }) => tooLarge(topic, record, bytesMax),
      append(encoded) {
        outputs.mustOwn();
        for (const { partition, record } of encoded) outputs.append(topic, partition, record);
      },
    }),
    close: async () => undefined,
  };
}

async function repartitionWriter(
  log: TopicLog,
  outputs: TaskOutputs,
  options: InternalSinkOptions,
  registry: SchemaRegistry,
  now: () => number,
): Promise<SinkWriter> {
  const { topic, schema } = options;
  const writer = internalWriter({
    options,
    codec: await openCodec(schema, registry),
    partitions: log.partitionsOf(topic),
    now,
    append(partition, record) {
      outputs.mustOwn();
      outputs.append(topic, partition, record);
    },
    refusal: (record) => tooLarge(topic, record, RECORD_BYTES_MAX),
  });
  return { ...writer, close: async () => undefined };
}

function lettersWriter(
  log: TopicLog,
  outputs: TaskOutputs,
  options: DeadLetterSinkOptions,
  letterKey: Buffer | undefined,
): SinkWriter {
  const { topic } = options;
  const recordOf = letterWriter(options, letterKey);
  const partitions = log.partitionsOf(topic);
  const bytesMax = recordBytesMax(options);
  return {
    write(letters) {
      outputs.mustOwn();
      for (const letter of letters as readonly DeadLetter[]) {
        const { partition, eventTimeMs } = letter.origin;
        const record = fittingLetter(recordOf(letter), bytesMax);
        outputs.append(topic, partition % partitions, { ...record, timestampMs: eventTimeMs });
      }
    },
    close: async () => undefined,
  };
}

/** Lengths in a blob have 32 bits, and a record is in memory several times while it is written. */
const RECORD_BYTES_MAX = 2 ** 30;

/** As the sink declares it for Kafka, so that both profiles refuse the same records. */
const recordBytesMax = ({ configs }: TopicDeclaration): number =>
  Math.min(RECORD_BYTES_MAX, Number(configs?.[RECORD_LIMIT] ?? RECORD_BYTES_MAX));

/** For a sink that this driver was never meant for. */
export const unknownKind = (sink: Sink<unknown>, step: SinkContext['step']): MillraceError =>
  new MillraceError('config', `the embedded store has no sink of kind ${sink.kind}`, {
    where: step,
    hint: 'it serves kafka.sink, kafka.upsertSink, kafka.deadLetterSink, redis.hashSink, redis.upsertSink, redis.metricsSink and repartitions',
  });
