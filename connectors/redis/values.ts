import * as is from '../../src/core/option-types.js';
import { connectorKind, type OptionsOf, optional, required } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { jsonText } from '../../src/util/json-text.js';
import { unrepresentableJson, unrepresentableKey } from './hash-fields.js';
import { sinkOf } from './sink.js';
import type { Write } from './structures.js';

// The newest value of each key as one text, or as a document.

const key = required(is.callback<(value: never) => string>('(value) => string'), 'The Redis key of a value.');
const ttl = optional(is.duration, 'TTL of a value after its last write (default: none).');

export const stringKind = connectorKind({
  kind: 'redis.stringSink',
  role: 'sink',
  doc: 'Keeps the newest value of each key as a string.',
  options: {
    key,
    value: optional(
      is.callback<(value: never) => string | Uint8Array | null>('(value) => string | bytes | null'),
      'The string; `null` deletes the key (default: the value as JSON).',
    ),
    ttl,
  },
});

/** Options of `redis.stringSink`. */
export interface RedisStringOptions<T> extends OptionsOf<typeof stringKind.options> {
  readonly key: (value: T) => string;
  readonly value?: (value: T) => string | Uint8Array | null;
}

/**
 * Keeps the newest value of each key as a string (`SET`). Effectively once, as `redis.hashSink`: every write is fenced by its
 * record's offset.
 *
 * @example
 * prices.to('prices', redis.stringSink({ key: (p) => `price:${p.sku}`, value: (p) => String(p.cents), ttl: days(1) }));
 */
export function stringSink<T>(options: RedisStringOptions<T>): Sink<T> {
  const key = options.key as Write['key'];
  const value = (options.value as ((value: unknown) => string | Uint8Array | null) | undefined) ?? jsonOf;
  return sinkOf(stringKind, options, {
    key,
    strings: (record) => {
      const written = value(record);
      return written === null || written === undefined ? [] : [asArgument(written)];
    },
    unrepresentable: (record) => {
      const unrepresentable =
        unrepresentableKey('key', key(record)) ?? (value === jsonOf ? unrepresentableJson(record) : undefined);
      if (unrepresentable !== undefined) return unrepresentable;
      const written = value(record);
      return isWritable(written) ? undefined : `\`value\` gives something of type ${typeof written}`;
    },
    ttl: options.ttl,
  } satisfies Write);
}

export const jsonKind = connectorKind({
  kind: 'redis.jsonSink',
  role: 'sink',
  doc: 'Keeps the newest value of each key as a JSON document; needs Redis 8 or the RedisJSON module.',
  options: {
    key,
    value: optional(
      is.callback<(value: never) => unknown>('(value) => unknown'),
      'The document; `null` deletes the key (default: the value).',
    ),
    ttl,
  },
});

/** Options of `redis.jsonSink`. */
export interface RedisJsonOptions<T> extends OptionsOf<typeof jsonKind.options> {
  readonly key: (value: T) => string;
  readonly value?: (value: T) => unknown;
}

/**
 * Keeps the newest value of each key as a JSON document (`JSON.SET`), for who reads parts of it (`JSON.GET key $.risk`) or indexes
 * it. Effectively once, as `redis.hashSink`.
 *
 * @throws MillraceError `config` before anything is read, where the server has no JSON.
 * @example
 * predictions.to('online', redis.jsonSink({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) }));
 */
export function jsonSink<T>(options: RedisJsonOptions<T>): Sink<T> {
  const value = (options.value as ((value: unknown) => unknown) | undefined) ?? ((record: unknown) => record);
  const key = options.key as Write['key'];
  return sinkOf(jsonKind, options, {
    key,
    strings: (record) => {
      const text = jsonOf(value(record));
      return text === null ? [] : [text];
    },
    unrepresentable: (record) => unrepresentableKey('key', key(record)) ?? unrepresentableJson(value(record)),
    ttl: options.ttl,
  } satisfies Write);
}

const jsonOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : (jsonText(value) ?? null);

const asArgument = (written: string | Uint8Array): string | Buffer =>
  typeof written === 'string' ? written : Buffer.from(written.buffer, written.byteOffset, written.byteLength);

const isWritable = (written: unknown): boolean =>
  written === null || written === undefined || typeof written === 'string' || written instanceof Uint8Array;
