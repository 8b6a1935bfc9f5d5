import { MillraceError } from '../core/errors.js';
import type { Delivery, Sink, WriteMode } from '../core/io.js';
import { deliveryOf } from '../topology/index.js';
import type { Config } from './settings.js';

// How each connector writes on each profile, known without opening it; a test compares it with the drivers.
const writeModes: Readonly<Record<Config['profile'], Readonly<Record<string, WriteMode>>>> = {
  embedded: {
    kafka: 'transactional',
    internal: 'transactional',
    redis: 'transactional',
    clickhouse: 'idempotent',
    file: 'prepared',
    s3: 'prepared',
    postgres: 'idempotent',
    http: 'append',
  },
  local: {
    kafka: 'transactional',
    internal: 'transactional',
    redis: 'idempotent',
    clickhouse: 'idempotent',
    file: 'prepared',
    s3: 'prepared',
    postgres: 'idempotent',
    http: 'append',
  },
};

/** The delivery guarantee of a sink on a profile. */
export const deliveryOn =
  (profile: Config['profile']) =>
  ({ connector, deferred }: Sink<unknown>): Delivery => {
    const modes = writeModes[profile];
    const mode = modes[connector];
    if (mode === undefined) {
      throw new MillraceError('config', `the ${profile} profile cannot write '${connector}'`, {
        hint: `it has: ${Object.keys(modes).join(', ')}`,
      });
    }
    return deliveryOf(mode, deferred !== undefined);
  };
