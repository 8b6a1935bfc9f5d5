import { sinkOf } from '../../../src/connect/make.js';
import { type OptionsOf, resolve } from '../../../src/core/options.js';
import type { Sink } from '../../../src/core/sink.js';
import { definition } from '../definition.js';
import { hashFields, unrepresentableHash } from '../hash-fields.js';
import { streamKind } from '../kinds.js';
import { nameOf } from '../sink.js';
import { ENTRY_FIELDS_MAX, type Write } from '../structures.js';

/** Options of `redis.streamSink`. */
export interface RedisStreamOptions<T> extends OptionsOf<typeof streamKind.options> {
  readonly stream: string | ((value: T) => string);
  readonly fields?: (value: T) => object;
}

/**
 * Appends every value to a stream (`XADD`), in order, with ids by Redis's clock. Effectively once: one call updates the fence and
 * the stream, so a replay, or a process that lost its task, appends nothing. After an offset reset or a restored savepoint, records
 * that are read again are appended again.
 *
 * @example
 * alerts.to('alerts', redis.streamSink({ stream: (a) => `alerts:${a.region}`, entriesMax: 100_000 }));
 */
export function streamSink<T>(options: RedisStreamOptions<T>): Sink<T> {
  const { stream: name, entriesMax, exact } = resolve(streamKind, options);
  const fields = (options.fields as ((value: unknown) => object) | undefined) ?? ((value: unknown) => value);
  const key = nameOf(name);
  const target = typeof name === 'string' ? { name: `stream ${name}`, sample: name } : undefined;
  const driven: Write = {
    key,
    strings: (value) => Object.entries(hashFields(fields(value))).flat(),
    unrepresentable: (value) => {
      const unrepresentable = unrepresentableHash(key(value), fields(value));
      if (unrepresentable !== undefined) return unrepresentable;
      const { length } = Object.keys(hashFields(fields(value)));
      if (length === 0) return 'an entry needs a field';
      return length <= ENTRY_FIELDS_MAX ? undefined : `an entry has at most ${ENTRY_FIELDS_MAX} fields, not ${length}`;
    },
    limit: entriesMax,
    how: exact ? '=' : '~',
  };
  return sinkOf(definition.kinds.streamSink, options, { options: driven, target });
}
