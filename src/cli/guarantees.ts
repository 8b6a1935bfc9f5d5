import { MillraceError } from '../core/errors.js';
import type { Delivery, WriteMode } from '../core/kind.js';
import type { Sink } from '../core/sink.js';
import type { Config } from '../profiles/settings.js';
import { deliveryOf } from '../topology/index.js';

// How each connector, or a kind that differs from the others of its connector, writes on each profile, known without opening it; a
// test compares it with the drivers.

const onBoth: Readonly<Record<string, WriteMode>> = {
  file: 'prepared',
  s3: 'prepared',
  postgres: 'idempotent',
  http: 'append',
  'redis.stringSink': 'idempotent',
  'redis.jsonSink': 'idempotent',
  'redis.streamSink': 'idempotent',
  'redis.sortedSetSink': 'idempotent',
  'redis.setSink': 'idempotent',
  'redis.counterSink': 'idempotent',
  'redis.publishSink': 'append',
};

const writeModes: Readonly<Record<Config['profile'], Readonly<Record<string, WriteMode>>>> = {
  embedded: {
    ...onBoth,
    kafka: 'transactional',
    internal: 'transactional',
    redis: 'transactional',
    clickhouse: 'idempotent',
  },
  cluster: {
    ...onBoth,
    kafka: 'transactional',
    internal: 'transactional',
    redis: 'idempotent',
    clickhouse: 'idempotent',
  },
};

/** The delivery guarantee of a sink on a profile. */
export const deliveryOn =
  (profile: Config['profile']) =>
  (sink: Sink<unknown>): Delivery => {
    const modes = writeModes[profile];
    const mode = modes[sink.kind] ?? modes[sink.connector];
    if (mode === undefined) {
      throw new MillraceError('config', `the ${profile} profile cannot write '${sink.connector}'`, {
        hint: `it has: ${Object.keys(modes).join(', ')}`,
      });
    }
    return deliveryOf(mode, sink.deferred !== undefined);
  };
