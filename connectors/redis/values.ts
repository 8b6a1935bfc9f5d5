import { sinkOf } from '../../src/connect/make.js';
import type { OptionsOf } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { jsonText } from '../../src/util/json-text.js';
import { definition } from './definition.js';
import { unrepresentableJson, unrepresentableKey, unrepresentableText } from './hash-fields.js';
import type { jsonKind, stringKind } from './kinds.js';
import type { Write } from './structures.js';

// Sinks that keep the newest value of each key as one string or one document.

/** Options of `redis.stringSink`. */
export interface RedisStringOptions<T> extends OptionsOf<typeof stringKind.options> {
  readonly key: (value: T) => string;
  readonly value?: (value: T) => string | Uint8Array | null;
}

/**
 * Keeps the newest value of each key as a string (`SET`). Effectively once, like `redis.hashSink`: every write is fenced by its
 * record's offset.
 *
 * @example
 * prices.to('prices', redis.stringSink({ key: (p) => `price:${p.sku}`, value: (p) => String(p.cents), ttl: days(1) }));
 */
export function stringSink<T>(options: RedisStringOptions<T>): Sink<T> {
  const key = options.key as Write['key'];
  const value = (options.value as ((value: unknown) => string | Uint8Array | null) | undefined) ?? jsonOf;
  const driven: Write = {
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
      if (!isWritable(written)) return `\`value\` gives something of type ${typeof written}`;
      return unrepresentableText(written);
    },
    ttl: options.ttl,
  };
  return sinkOf(definition.kinds.stringSink, options, { options: driven });
}

/** Options of `redis.jsonSink`. */
export interface RedisJsonOptions<T> extends OptionsOf<typeof jsonKind.options> {
  readonly key: (value: T) => string;
  readonly value?: (value: T) => unknown;
}

/**
 * Keeps the newest value of each key as a JSON document (`JSON.SET`), for readers of parts of it (`JSON.GET key $.risk`) and for
 * indexes. Effectively once, like `redis.hashSink`.
 *
 * @throws MillraceError `config` before anything is read, if the server does not support JSON.
 * @example predictions.to('online', redis.jsonSink({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) }));
 */
export function jsonSink<T>(options: RedisJsonOptions<T>): Sink<T> {
  const value = (options.value as ((value: unknown) => unknown) | undefined) ?? ((record: unknown) => record);
  const key = options.key as Write['key'];
  const driven: Write = {
    key,
    strings: (record) => {
      const text = jsonOf(value(record));
      return text === null ? [] : [text];
    },
    unrepresentable: (record) => unrepresentableKey('key', key(record)) ?? unrepresentableDocument(value(record)),
    ttl: options.ttl,
  };
  return sinkOf(definition.kinds.jsonSink, options, { options: driven });
}

const jsonOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : (jsonText(value) ?? null);

const asArgument = (written: string | Uint8Array): string | Buffer =>
  typeof written === 'string' ? written : Buffer.from(written.buffer, written.byteOffset, written.byteLength);

const isWritable = (written: unknown): boolean =>
  written === null || written === undefined || typeof written === 'string' || written instanceof Uint8Array;

/** RedisJSON reads documents up to this depth. */
const DEPTH_MAX = 127;

/** Why a value has no JSON that RedisJSON reads: it is stricter than JSON is. */
function unrepresentableDocument(value: unknown): string | undefined {
  const reason = unrepresentableJson(value);
  if (reason !== undefined) return reason;
  const text = jsonOf(value) ?? '';
  if (text.length > DEPTH_MAX && isDeeper(text, DEPTH_MAX))
    return `nested deeper than ${DEPTH_MAX}, which Redis does not read`;
  return hasHalf(text) ? 'text with half of a surrogate pair, which UTF-8 has not' : undefined;
}

/** Whether JSON is nested deeper. A regular expression for its strings would overflow the stack at one of 10 MB. */
function isDeeper(json: string, depthMax: number): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const each = json[i];
    if (isText && each === '\\') i++;
    else if (each === '"') isText = !isText;
    else if (isText) continue;
    else if (each === '[' || each === '{') depth += 1;
    else if (each === ']' || each === '}') depth -= 1;
    if (depth > depthMax) return true;
  }
  return false;
}

/** Whether JSON has the escape of half a pair: behind a backslash that is none of a pair of them, which is an escape itself. */
function hasHalf(json: string): boolean {
  for (let at = json.indexOf(HALF_ESCAPE); at >= 0; at = json.indexOf(HALF_ESCAPE, at + 1)) {
    let from = at;
    while (json[from - 1] === '\\') from--;
    if ((at - from) % 2 === 0) return true;
  }
  return false;
}

const HALF_ESCAPE = '\\ud';
