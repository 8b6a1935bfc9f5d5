import { aheadMax, timing } from '../../src/connect/source-options.js';
import { days } from '../../src/core/duration.js';
import type { IsolatedSink, Isolation, LookupKind, SinkKind, SourceKind } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';
import type { Publishing } from './publish-writer.js';

// Every kind of source, sink and lookup of Redis, with all options.

/** A name, or a function that derives it from the value. */
const nameOrCallback = is.custom<string | ((value: never) => string)>(
  'text or `(value) => string`',
  (value) => typeof value === 'function' || is.text.accepts(value),
  (value) => (typeof value === 'string' ? value : undefined),
);

const key = required(is.callback<(value: never) => string>('(value) => string'), 'The Redis key of a value.');
const ttl = optional(is.duration, 'How long a value is kept after its last write (default: without end).');

const keptTtl = optional(
  is.duration,
  "How long the key is kept after its last write, by Redis's clock (default: without end).",
);

/** Keys are compared after both runs have ended, so none may expire before. */
const KEYS_STAY = days(7);
/**
 * Entries must not be trimmed either, since the server decides where. The largest whole number that Lua writes without an exponent.
 */
const ENTRIES_STAY = 2 ** 31 - 1;

/** The prefix of all keys of a sink in one run of a verification. */
export const isolatedPrefix = ({ id, run, step }: Isolation): string => `${id}:${run}:${step}:`;

const isolatedKeys = (called: string, more: object = {}): IsolatedSink => ({
  called: () => called,
  isolate: (options: object) => ({ ...options, ...more, ttl: KEYS_STAY }),
  isolateTask: (options: { readonly key: (value: unknown) => string }, isolation, task) => ({
    ...options,
    key: (value: unknown) => `${isolatedPrefix(isolation)}${task}:${options.key(value)}`,
  }),
});

export const hashKind = {
  role: 'sink',
  writes: { embedded: 'transactional', cluster: 'idempotent' },
  verify: isolatedKeys('hashes'),
  doc: 'Keeps the newest value of each key as a hash with one field per property.',
  options: {
    key: required(is.callback<(value: never) => string>('(value) => string'), 'The Redis key of a value.'),
    ttl: required(is.duration, 'How long a value is kept after its last write: Redis then deletes it.'),
    newest: optional(
      is.text,
      'A field with a number: a value with a lower one than the hash has changes nothing (default: the last value that is written stays).',
    ),
  },
} satisfies SinkKind;

export const metricsKind = {
  role: 'sink',
  writes: { embedded: 'transactional', cluster: 'idempotent' },
  doc: 'Keeps the newest measurement of each metric, slice and model version, and each counter, as a hash.',
  options: {
    prefix: defaulted(is.text, 'metrics:', 'Prefix of the Redis keys.'),
    ttl: required(is.duration, 'How long a hash is kept after its last write: Redis then deletes it.'),
  },
} satisfies SinkKind;

export const upsertsKind = {
  role: 'sink',
  writes: { embedded: 'transactional', cluster: 'idempotent' },
  verify: isolatedKeys('hashes'),
  doc: 'Keeps the current value of each key of a changelog as a hash, and deletes the hash of a deleted key.',
  options: {
    prefix: required(is.text, 'Prefix of the Redis keys.'),
    ttl: optional(is.duration, 'How long a value is kept after its last write (default: without end).'),
  },
} satisfies SinkKind;

export const stringKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('stringSink keys'),
  doc: 'Keeps the newest value of each key as a string.',
  options: {
    key,
    value: optional(
      is.callback<(value: never) => string | Uint8Array | null>('(value) => string | bytes | null'),
      'The string; `null` deletes the key (default: the value as JSON).',
    ),
    ttl,
  },
} satisfies SinkKind;

export const jsonKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('jsonSink keys'),
  doc: 'Keeps the newest value of each key as a JSON document; needs Redis 8 or the RedisJSON module.',
  options: {
    key,
    value: optional(
      is.callback<(value: never) => unknown>('(value) => unknown'),
      'The document; `null` deletes the key (default: the value).',
    ),
    ttl,
  },
} satisfies SinkKind;

export const streamKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('streamSink keys', { limit: ENTRIES_STAY, how: '=' }),
  doc: 'Appends every value to a Redis stream as an entry, once.',
  options: {
    stream: required(nameOrCallback, 'The Redis key of the stream.'),
    entriesMax: required(is.integer(1), 'Maximum length of the stream: older entries are trimmed, read or not.'),
    exact: defaulted(is.flag, false, 'Trim exactly; otherwise some hundred more entries may remain, which is cheaper.'),
    fields: optional(
      is.callback<(value: never) => object>('(value) => object'),
      'The fields of the entry, like those of a hash (default: the properties of the value).',
    ),
  },
} satisfies SinkKind;

export const sortedSetKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('sortedSetSink keys'),
  doc: 'Keeps the newest score of each member in sorted sets, for rankings or time indexes.',
  options: {
    key: required(nameOrCallback, 'The Redis key of the sorted set.'),
    member: required(is.callback<(value: never) => string>('(value) => string'), 'The member of a value.'),
    score: required(
      is.callback<(value: never) => number | null>('(value) => number | null'),
      'The new score of the member; `null` removes it.',
    ),
    sizeMax: optional(is.integer(1), 'Maximum number of members (default: no limit).'),
    keep: defaulted(is.oneOf('highest', 'lowest'), 'highest', 'Which scores to keep beyond `sizeMax`.'),
    ttl: keptTtl,
  },
} satisfies SinkKind;

export const setKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('setSink keys'),
  doc: 'Adds members to sets and removes them.',
  options: {
    key: required(nameOrCallback, 'The Redis key of the set.'),
    member: required(is.callback<(value: never) => string>('(value) => string'), 'The member of a value.'),
    isIn: optional(
      is.callback<(value: never) => boolean>('(value) => boolean'),
      'Whether the member is in the set (default: yes).',
    ),
    ttl: keptTtl,
  },
} satisfies SinkKind;

export const counterKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: isolatedKeys('counterSink keys'),
  doc: 'Adds each value to a number in Redis, once.',
  options: {
    key: required(nameOrCallback, 'The Redis key of the number, or of its hash.'),
    field: optional(nameOrCallback, 'The field of the hash (default: the key is a plain number).'),
    by: optional(
      is.callback<(value: never) => number>('(value) => number'),
      'The amount that a value adds; may be negative (default: 1).',
    ),
    fractions: defaulted(is.flag, false, 'Whether `by` may be fractional; Redis then rounds sums to 17 digits.'),
    ttl: keptTtl,
  },
} satisfies SinkKind;

export const publishKind = {
  role: 'sink',
  writes: 'append',
  verify: {
    sends:
      ({ channel, message, unrepresentable }: Publishing) =>
      (value) => {
        const why = unrepresentable(value);
        return why === undefined
          ? { channel: channel(value), message: String(message(value)) }
          : { unrepresentable: why };
      },
  },
  doc: 'Publishes every value to the current subscribers of a channel.',
  options: {
    channel: required(nameOrCallback, 'The channel.'),
    message: optional(
      is.callback<(value: never) => string | Uint8Array>('(value) => string | bytes'),
      'The message (default: the value as JSON).',
    ),
  },
} satisfies SinkKind;

export const entriesKind = {
  role: 'source',
  doc: 'Reads the entries of Redis streams, in order.',
  options: {
    stream: required(is.text, 'The Redis key of the stream; with `partitions`, the prefix of the keys.'),
    partitions: optional(
      is.integer(1, 10_000),
      'Reads the streams `STREAM:0` to `STREAM:(n - 1)`, one per task (default: the single stream `STREAM`).',
    ),
    schema: required(
      is.schema,
      'Schema of the payload: of `field`, or (without `field`) of all fields as a JSON object of texts: `json()`.',
    ),
    field: optional(is.text, 'The field with the payload; the other fields become headers of the record.'),
    keyField: optional(is.text, 'The field with the key of the record (default: no key).'),
    eventTime: optional(
      is.callback<(value: never, entryTimeMs: number) => number>('(value, entryTimeMs) => number'),
      "Event time in milliseconds since 1970 (default: the time in the entry's id).",
    ),
    onDataLoss: defaulted(
      is.oneOf('fail', 'earliest', 'latest'),
      'fail',
      'What to do if entries were trimmed or deleted before they were read: stop the run (`fail`), or continue at the oldest entry (`earliest`) or after the newest (`latest`).',
    ),
    ...timing,
    aheadMax,
  },
} satisfies SourceKind;
const decoding = {
  decode: optional(
    is.callback<(found: never) => unknown>('(found) => unknown'),
    'Converts the stored value (default: unchanged). If it throws, the key is refused.',
  ),
};

export const hashesKind = {
  role: 'lookup',
  doc: 'Looks up hashes by key.',
  options: decoding,
} satisfies LookupKind;

export const stringsKind = {
  role: 'lookup',
  doc: 'Looks up strings by key.',
  options: decoding,
} satisfies LookupKind;

/** The options as the driver gets them. */
export interface Entries {
  readonly stream: string;
  readonly partitions: number | undefined;
  readonly field: string | undefined;
  readonly keyField: string | undefined;
}

/** The options as a driver gets them. */
export interface DecodeOption {
  readonly decode: ((found: never) => unknown) | undefined;
}
