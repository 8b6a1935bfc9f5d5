import { hashFields } from '../../src/core/hash-fields.js';
import type { SinkDriver } from '../../src/core/io.js';
import type { HashSinkOptions } from '../../src/core/sinks.js';
import { mustFit } from './hashes.js';
import type { TaskOwners } from './task-outputs.js';
import { unknownKind } from './topic-sinks.js';

/** The sink of `redis.hash`: of each key only the newest value of an epoch is written. */
export function hashSink(owners: TaskOwners): SinkDriver {
  return {
    mode: 'transactional',
    async open(sink, { step, task }) {
      if (sink.kind !== 'redis.hash') throw unknownKind(sink, step);
      const outputs = owners.current(task);
      const { key, ttl } = sink.options as HashSinkOptions;
      return {
        write(values) {
          outputs.mustOwn();
          for (const value of values) {
            const name = key(value);
            mustFit(name, step);
            outputs.hashes.set(name, { fields: hashFields(value), ttlMs: ttl });
          }
        },
        close: async () => undefined,
      };
    },
  };
}
