import { sinkOf } from '../../src/connect/make.js';
import type { OptionsOf } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { jsonText } from '../../src/util/json-text.js';
import { definition } from './definition.js';
import { unrepresentableJson, unrepresentableKey, unrepresentableText } from './hash-fields.js';
import type { publishKind } from './kinds.js';
import type { Publishing } from './publish-writer.js';
import { nameOf } from './sink.js';

/** Options of `redis.publishSink`. */
export interface RedisPublishOptions<T> extends OptionsOf<typeof publishKind.options> {
  readonly channel: string | ((value: T) => string);
  readonly message?: (value: T) => string | Uint8Array;
}

/**
 * Publishes every value on a channel (`PUBLISH`), in order. At least once: a replay publishes again. Redis does not keep messages,
 * so a subscriber that is disconnected or slow misses some. Give messages an id to recognize duplicates, or use `redis.streamSink`
 * if none may be missed.
 *
 * @example
 * alerts.to('live', redis.publishSink({ channel: (a) => `alerts:${a.region}` }));
 */
export function publishSink<T>(options: RedisPublishOptions<T>): Sink<T> {
  const message = options.message as ((value: unknown) => string | Uint8Array) | undefined;
  const bytes = (written: string | Uint8Array) => (typeof written === 'string' ? written : Buffer.from(written));
  const isMessage = (written: unknown) => typeof written === 'string' || written instanceof Uint8Array;
  const channel = nameOf(options.channel);
  const driven: Publishing = {
    channel,
    message: message === undefined ? (value) => jsonText(value) ?? 'null' : (value) => bytes(message(value)),
    unrepresentable: (value) => {
      const unrepresentable = unrepresentableKey('channel', channel(value));
      if (unrepresentable !== undefined || message === undefined) return unrepresentable ?? unrepresentableJson(value);
      const written = message(value);
      if (!isMessage(written)) return `\`message\` gives something of type ${typeof written}`;
      return unrepresentableText(written);
    },
  };
  return sinkOf(definition.kinds.publishSink, options, { options: driven });
}
