import { aheadMax, timing } from '../../src/connect/source-options.js';
import { type Duration, formatDuration } from '../../src/core/duration.js';
import * as is from '../../src/core/option-types.js';
import { connectorKind, defaulted, optional, required } from '../../src/core/options.js';
import { type PassedHeaders, passedHeadersText } from '../../src/core/passed-headers.js';

// The options of every kind, once.

const topic = required(is.text, 'The topic.');
const schema = required(is.schema, 'How payloads become values.');

const reading = {
  topic,
  schema,
  eventTime: optional(
    is.callback<(value: never) => number>('(value) => number'),
    "Event time in milliseconds since 1970; the record's own timestamp by default. A tombstone has no other.",
  ),
  outOfOrdernessMax: timing.outOfOrdernessMax,
  aheadMax,
  onDataLoss: defaulted(
    is.oneOf('fail', 'earliest', 'latest'),
    'fail',
    'Where to go on when the log has no more what comes next, because it was deleted before it was read: at the oldest record ' +
      'that is left, or at the end. What is passed over is lost; a warning and the counter `skipped` tell how much. By default ' +
      'the run stops and says so, as it always does where a topic was cut.',
  ),
};

const declared = {
  partitions: optional(
    is.integer(1),
    "Partitions of the topic where it does not exist yet; those of the task's inputs by default.",
  ),
  replication: optional(is.integer(1), 'Replicas of each partition; as `kafkaReplication` says by default.'),
  configs: optional(
    is.custom<Readonly<Record<string, string | number | boolean>>>(
      'object of texts, numbers or truth values',
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        Object.values(value).every((one) => ['string', 'number', 'boolean'].includes(typeof one)),
      (value) =>
        Object.entries(value)
          .map(([name, one]) => `${name}=${one}`)
          .join(' '),
    ),
    "The broker's own settings for the topic, such as `{ 'retention.ms': 604_800_000 }`.",
  ),
  create: defaulted(is.flag, true, 'Whether the topic is created where it is missing.'),
  drift: optional(
    is.oneOf('warn', 'fail', 'ignore'),
    'What to do where the topic is there and not as declared: `warn` by default. Nothing is ever changed.',
  ),
};

const writing = {
  topic,
  schema,
  ...declared,
  compression: optional(
    is.oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    'How batches are compressed; as `kafkaCompression` says by default.',
  ),
  headers: optional(
    is.custom<PassedHeaders>(
      "`'all'` or list: text",
      (value) => value === 'all' || (Array.isArray(value) && value.every((name) => typeof name === 'string')),
      passedHeadersText,
    ),
    'Headers of the record that a value comes from which go with it: some names, such as `traceHeaders`, or all; none by ' +
      'default. Where several records make one value, such as that of a window, it is the one that brought it about.',
  ),
};

export const sourceKind = connectorKind({
  kind: 'kafka.source',
  role: 'source',
  doc: 'Reads a topic, committed records only, in the order of each partition.',
  options: { ...reading, idleTimeout: timing.idleTimeout },
});

export const tableKind = connectorKind({
  kind: 'kafka.tableSource',
  role: 'source',
  doc: 'Reads a compacted topic as a table: each record says what is now true of its key, a tombstone that nothing is.',
  options: { ...reading, idleTimeout: timing.idleTimeout },
});

export const globalTableKind = connectorKind({
  kind: 'kafka.globalTableSource',
  role: 'source',
  doc: 'Reads all partitions of a small compacted topic in every task, so what is joined with it may have any key.',
  options: {
    ...reading,
    idleTimeout: required(
      is.custom<Duration | 'never'>(
        "duration or `'never'`",
        (value) => value === 'never' || is.durationFromZero.accepts(value),
        (value) => (value === 'never' ? value : formatDuration(value)),
      ),
      'How long (processing time) records wait for a partition of the table that brings nothing.',
    ),
  },
});

export const sinkKind = connectorKind({
  kind: 'kafka.sink',
  role: 'sink',
  doc: 'Appends every value to a topic, in the transaction that also stores the checkpoint.',
  options: {
    ...writing,
    key: optional(
      is.callback<(value: never) => string>('(value) => string'),
      "The record's key, as UTF-8; it decides the partition. Without it the origin's key is passed on.",
    ),
  },
});

export const upsertsKind = connectorKind({
  kind: 'kafka.upsertSink',
  role: 'sink',
  doc: 'Writes corrections into a compacted topic: what is held to be true now of a key, and a tombstone where that is nothing.',
  options: writing,
});

export const deadLettersKind = connectorKind({
  kind: 'kafka.deadLetterSink',
  role: 'sink',
  doc: 'Keeps what could not be processed: the bytes as they came, with reason, step and origin in headers.',
  options: { topic, ...declared },
});
