import { letterWriter } from '../../../connectors/kafka/dead-letter-record.js';
import {
  type DeadLetterSinkOptions,
  headersFor,
  type TopicSinkOptions,
} from '../../../connectors/kafka/topic-options.js';
import { MillraceError } from '../../core/errors.js';
import { type InternalSinkOptions, internalWriter } from '../../core/internal.js';
import { partitionOf } from '../../core/partition.js';
import type { DeadLetter, Origin } from '../../core/record.js';
import type { SchemaRegistry } from '../../core/schema.js';
import type { Sink, SinkContext, SinkDriver, SinkWriter } from '../../core/sink.js';
import { keyBytes, unwritable } from '../../core/sink.js';
import { openCodec, registerSchema } from '../../schema/index.js';
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
      const { topic, schema, partitions: wanted } = sink.options as Partial<TopicSinkOptions> & DeadLetterSinkOptions;
      if (schema !== undefined) await registerSchema(schema, registry);
      const exists = log.names().includes(topic);
      // A topic that is there may have any number of partitions unless the sink insists on one.
      if (!exists || wanted !== undefined) await log.create(topic, wanted ?? partitions);
    },

    async open(sink, { step, task }) {
      const outputs = owners.current(task);
      switch (sink.kind) {
        case 'kafka.sink':
        case 'kafka.upsertSink':
          return valueWriter(log, outputs, sink.options as TopicSinkOptions, registry, step);
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

async function valueWriter(
  log: TopicLog,
  outputs: TaskOutputs,
  options: TopicSinkOptions,
  registry: SchemaRegistry,
  step: string,
): Promise<SinkWriter> {
  const { topic, schema, key, content } = options;
  const codec = await openCodec(schema, registry);
  const headers = headersFor(options);
  const partitions = log.partitionsOf(topic);

  const writeOne = (value: unknown, origin: Origin): void => {
    const keyOrNull = key === undefined ? origin.key : keyBytes(key(value));
    // Without a key the origin decides, not a counter: a replay must append to the same partition.
    const partition = keyOrNull === null ? origin.partition % partitions : partitionOf(keyOrNull, partitions);
    const written = content ? content(value) : value;
    const bytes = content && written === null ? null : codec.encode(written);
    outputs.writerOf(topic, partition).append(keyOrNull, bytes, origin.eventTimeMs, headers(origin));
  };
  return writerOf(outputs, (value, origin) => {
    try {
      writeOne(value, origin);
    } catch (error) {
      throw unwritable(error, step, origin);
    }
  });
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
    append(partition, { key, value, timestampMs, headers }) {
      outputs.mustOwn();
      outputs.writerOf(topic, partition).append(key, value, timestampMs, headers);
    },
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

  const writeOne = (value: unknown): void => {
    const letter = value as DeadLetter;
    const { origin } = letter;
    const writer = outputs.writerOf(topic, origin.partition % partitions);
    const record = recordOf(letter);
    writer.append(record.key, record.value, origin.eventTimeMs, record.headers);
  };
  return writerOf(outputs, writeOne);
}

function writerOf(outputs: TaskOutputs, writeOne: (value: unknown, origin: Origin) => void): SinkWriter {
  return {
    write(values, origins) {
      outputs.mustOwn();
      for (let i = 0; i < values.length; i++) writeOne(values[i], origins[i] as Origin);
    },
    close: async () => undefined,
  };
}

/** For a sink that this driver was never meant for. */
export const unknownKind = (sink: Sink<unknown>, step: SinkContext['step']): MillraceError =>
  new MillraceError('config', `the embedded store has no sink of kind ${sink.kind}`, {
    where: step,
    hint: 'it serves kafka.sink, kafka.upsertSink, kafka.deadLetterSink, redis.hashSink, redis.upsertSink and repartitions',
  });
