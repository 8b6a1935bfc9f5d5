import { sourceOf } from '../../../src/connect/make.js';
import { type OptionsOf, resolve, settingsOf } from '../../../src/core/options.js';
import type { Schema } from '../../../src/core/schema.js';
import type { Source } from '../../../src/core/source.js';
import { definition } from '../definition.js';
import type { Entries } from '../kinds.js';
import { entriesKind } from '../kinds.js';

/** Options of `redis.streamSource`. */
export interface RedisEntriesOptions<T> extends Omit<OptionsOf<typeof entriesKind.options>, 'schema'> {
  readonly schema: Schema<T>;
  readonly eventTime?: (value: T, entryTimeMs: number) => number;
}

/**
 * Reads streams of Redis 7 or newer, without consumer groups. The checkpoint stores the id of the last entry read, so positions
 * belong to the state. Offsets count all entries ever added. If entries were trimmed before they were read, or deleted after the
 * checkpoint, the run ends unless `onDataLoss` says where to continue. A stream that was deleted and created again always ends the
 * run.
 *
 * An entry without `field` is a tombstone.
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
  const { stream: _, schema: __, ...others } = settingsOf(entriesKind, options); // shown as its topic and by its subject
  const needsJson = field === undefined && schema?.format !== 'json' && schema?.format !== 'json-schema';
  return sourceOf(definition.kinds.streamSource, options, {
    topic: stream,
    schema: schema as Schema<unknown>,
    settings: { ...others, eventTime: eventTime ? 'field' : 'timestamp' },
    problems: needsJson
      ? [
          {
            message: 'without `field` a payload is JSON',
            hint: 'pass json<Entry>(), or name the field of the payload',
          },
        ]
      : [],
    options: { stream, partitions, field, keyField } satisfies Entries,
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
