import { aheadMax, timing } from '../../../src/connect/source-options.js';
import * as is from '../../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../../src/core/options.js';
import type { Schema } from '../../../src/core/schema.js';
import type { Source } from '../../../src/core/source.js';

export const entriesKind = connectorKind({
  kind: 'redis.streamSource',
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
});

/** Options of `redis.streamSource`. */
export interface RedisEntriesOptions<T> extends Omit<OptionsOf<typeof entriesKind.options>, 'schema'> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T, entryTimeMs: number) => number;
}

/** As the driver sees it. */
export interface Entries {
  readonly stream: string;
  readonly partitions: number | undefined;
  readonly field: string | undefined;
  readonly keyField: string | undefined;
}

/**
 * Reads streams of Redis 7 or newer, without consumer groups: the checkpoint has the id of the last entry that was read, so that
 * positions go with the state. Offsets count the entries that were ever added. Entries that were trimmed before they were read, or
 * deleted behind the checkpoint, end the run, unless `onDataLoss` says where to go on; so does, always, a stream that was deleted and made
 * again.
 *
 * An entry without `field` counts as a tombstone.
 *
 * @example
 * t.source('orders', redis.streamSource({ stream: 'orders', partitions: 4, field: 'order', schema: json<Order>(), eventTime: (o) => o.at }));
 */
export function streamSource<T>(options: RedisEntriesOptions<T>): Source<T> {
  const { stream, partitions, schema, field, keyField, onDataLoss, outOfOrdernessMax, idleTimeout, aheadMax } = resolve(
    entriesKind,
    options,
  );
  const eventTime = options.eventTime as ((value: unknown, entryTimeMs: number) => number) | undefined;
  const { stream: _, schema: __, ...others } = settingsOf(entriesKind, options); // described as its topic, and by its subject
  const needsJson = field === undefined && schema?.format !== 'json' && schema?.format !== 'json-schema';
  return Object.freeze({
    connector: 'redis',
    kind: entriesKind.kind,
    topic: stream,
    schema: schema as Schema<unknown>,
    settings: Object.freeze({ ...others, eventTime: eventTime ? 'field' : 'timestamp' }),
    problems: Object.freeze([
      ...problemsOf(entriesKind, options),
      ...(needsJson
        ? [
            {
              message: 'without `field` a payload is JSON',
              hint: 'pass json<Entry>(), or name the field of the payload',
            },
          ]
        : []),
    ]),
    options: Object.freeze({ stream, partitions, field, keyField } satisfies Entries),
    covers: (sample: string) => sample === stream || (partitions !== undefined && isPartition(stream, sample)),
    onDataLoss: onDataLoss === 'fail' ? undefined : onDataLoss,
    outOfOrdernessMax,
    idleTimeout,
    aheadMax,
    eventTimeOf: eventTime ?? ((_value: unknown, entryTimeMs: number) => entryTimeMs),
  });
}

const isPartition = (stream: string, name: string): boolean =>
  name.startsWith(`${stream}:`) && /^\d+$/.test(name.slice(stream.length + 1));
