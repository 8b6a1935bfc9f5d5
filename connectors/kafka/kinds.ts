import { aheadMax, timing } from '../../src/connect/source-options.js';
import { type Duration, formatDuration } from '../../src/core/duration.js';
import type { SinkKind, SourceKind } from '../../src/core/kind.js';
import { type IsolatedSink, isolatedName } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';
import { type PassedHeaders, passedHeadersText } from '../../src/core/passed-headers.js';
import type { DeadLetterSinkOptions, TopicSinkOptions } from './topic-options.js';

// Options that several kinds share.

const topic = required(is.text, 'The topic.');
const schema = required(is.schema, 'Converts payloads to values.');

const reading = {
  topic,
  schema,
  eventTime: optional(
    is.callback<(value: never) => number>('(value) => number'),
    'Event time in milliseconds since 1970 (default: the timestamp of the record). A tombstone always uses its timestamp.',
  ),
  outOfOrdernessMax: timing.outOfOrdernessMax,
  aheadMax,
  onDataLoss: defaulted(
    is.oneOf('fail', 'earliest', 'latest'),
    'fail',
    'What to do if records were deleted before they were read: stop the run (`fail`), or continue at the oldest remaining record ' +
      '(`earliest`) or at the end (`latest`). The skipped records are lost; a warning and the counter `skipped` count them. A truncated ' +
      'topic always stops the run.',
  ),
};

const declared = {
  partitions: optional(
    is.integer(1),
    "Partitions of the topic if it is created (default: the number of partitions of the task's inputs).",
  ),
  replication: optional(is.integer(1), 'Replication factor (default: `kafkaReplication`).'),
  configs: optional(
    is.custom<Readonly<Record<string, string | number | boolean>>>(
      'object of texts, numbers or booleans',
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        Object.values(value).every((one) => ['string', 'number', 'boolean'].includes(typeof one)),
      (value) =>
        Object.entries(value)
          .map(([name, one]) => `${name}=${one}`)
          .join(' '),
    ),
    "Topic configs of the broker, such as `{ 'retention.ms': 604_800_000 }`. The embedded log knows `retention.ms` and " +
      '`retention.bytes`.',
  ),
  create: defaulted(is.flag, true, 'Whether to create the topic if it is missing.'),
  onMismatch: optional(
    is.oneOf('warn', 'fail', 'ignore'),
    'What to do if the topic exists and differs from the declaration; `warn` by default. An existing topic is never changed.',
  ),
};

const writing = {
  topic,
  schema,
  ...declared,
  compression: optional(
    is.oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    'Compression of batches (default: `kafkaCompression`).',
  ),
  headers: optional(
    is.custom<PassedHeaders>(
      "`'all'` or list: text",
      (value) => value === 'all' || (Array.isArray(value) && value.every((name) => typeof name === 'string')),
      passedHeadersText,
    ),
    'Headers of the input record to pass on: a list of names, such as `traceHeaders`, or all (default: none). If several records ' +
      'make one value, as in a window, these are the headers of the record that triggered it.',
  ),
};

export const sourceKind = {
  role: 'source',
  readsLog: true,
  doc: 'Reads the committed records of a topic, in the order of each partition.',
  options: { ...reading, idleTimeout: timing.idleTimeout },
} satisfies SourceKind;

export const tableKind = {
  role: 'source',
  readsLog: true,
  doc: 'Reads a compacted topic as a table: a record is the new value of its key, a tombstone deletes the key.',
  options: { ...reading, idleTimeout: timing.idleTimeout },
} satisfies SourceKind;

export const globalTableKind = {
  role: 'source',
  readsLog: true,
  doc: 'Reads all partitions of a small compacted topic in every task, so a stream with any key can be joined with it.',
  options: {
    ...reading,
    idleTimeout: required(
      is.custom<Duration | 'never'>(
        "duration or `'never'`",
        (value) => value === 'never' || is.durationFromZero.accepts(value),
        (value) => (value === 'never' ? value : formatDuration(value)),
      ),
      'Time in processing time after which records no longer wait for an idle partition of the table.',
    ),
  },
} satisfies SourceKind;

// How `verify` isolates sinks that write to topics.

const called = ({ topic }: DeadLetterSinkOptions): string => topic;

const isolatedTopic: IsolatedSink = {
  called,
  isolate: (options: TopicSinkOptions, isolation) =>
    ({
      ...options,
      topic: `${isolatedName(isolation)}.${options.topic}`,
      partitions: isolation.partitions[options.topic] ?? options.partitions,
      nameOrigin: true,
      create: true,
      onMismatch: 'ignore',
    }) satisfies TopicSinkOptions,
};

/** Dead letters carry their origin in any case. */
const isolatedLetters: IsolatedSink = {
  called,
  isolate: ({ topic }: DeadLetterSinkOptions, isolation) => ({ topic: `${isolatedName(isolation)}.${topic}` }),
};

export const sinkKind = {
  role: 'sink',
  writes: 'transactional',
  verify: isolatedTopic,
  doc: 'Appends every value to a topic, in the transaction of the checkpoint.',
  options: {
    ...writing,
    key: optional(
      is.callback<(value: never) => string>('(value) => string'),
      'The key of the record, as UTF-8; it determines the partition (default: the key of the input record).',
    ),
  },
} satisfies SinkKind;

export const upsertsKind = {
  role: 'sink',
  writes: 'transactional',
  verify: isolatedTopic,
  doc: 'Writes a changelog to a compacted topic: the current value of each key, or a tombstone for a deleted key.',
  options: writing,
} satisfies SinkKind;

export const deadLettersKind = {
  role: 'sink',
  writes: 'transactional',
  verify: isolatedLetters,
  doc: 'Appends dead letters to a topic: the raw bytes, with reason, step and origin in headers.',
  options: {
    topic,
    ...declared,
    raw: defaulted(
      is.oneOf('keep', 'encrypt', 'omit'),
      'keep',
      'What the topic holds of the record: `keep` as it came, before any step masked it; `encrypt` with ' +
        '`MILLRACE_DEAD_LETTER_KEY` (AES-256-GCM); `omit` nothing. Key, headers and detail are treated alike.',
    ),
  },
} satisfies SinkKind;
