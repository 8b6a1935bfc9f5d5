import { hashFields, unrepresentableHash } from '../../../connectors/redis/hash-fields.js';
import type { SinkDriver } from '../../core/sink.js';
import type { HashSinkOptions } from '../../core/sink-options.js';
import { mustFit } from './hashes.js';
import type { TaskOwners } from './task-outputs.js';
import { unknownKind } from './topic-sinks.js';

/** The sink of `redis.hashSink` and `redis.upsertSink`: of each key only the newest value of an epoch is written. */
export function hashSink(owners: TaskOwners): SinkDriver {
  return {
    mode: 'transactional',
    async open(sink, { step, task }) {
      if (sink.kind !== 'redis.hashSink' && sink.kind !== 'redis.upsertSink') throw unknownKind(sink, step);
      const outputs = owners.current(task);
      const { key, content, ttl } = sink.options as HashSinkOptions;
      return {
        unrepresentable: (value) => unrepresentableHash(key(value), content ? content(value) : value),
        write(values) {
          outputs.mustOwn();
          for (const value of values) {
            const name = key(value);
            mustFit(name, step);
            const fields = hashFields(content ? content(value) : value);
            outputs.hashes.set(name, { fields, ttlMs: ttl ?? Number.POSITIVE_INFINITY });
          }
        },
        close: async () => undefined,
      };
    },
  };
}
