import { Redis } from 'ioredis';
import { redis } from '../../connectors/redis/index.js';
import { openRedis } from '../../connectors/redis/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { hours } from '../../src/core/index.js';
import type { Contest } from './contest.js';
import { inBatches, sinkSide } from './side.js';

const TTL_MS = 6 * 3_600_000;
const PIPELINE = 1_000;

export const contests: readonly Contest[] = [
  {
    name: 'redis.hash',
    byHand: `ioredis: HSET and PEXPIRE in pipelines of ${PIPELINE}`,
    records: 100_000,
    async open({ redis: url }) {
      const opened = openRedis({ url });
      const client = new Redis(url);
      const sink = redis.hash<Prediction>({ key: (p) => `flight:${p.flightId}`, ttl: hours(6) });
      return {
        sink: (run) => sinkSide(opened.sink, sink, run),
        byHand: async () =>
          inBatches(PIPELINE, (values) => {
            const pipeline = client.pipeline();
            for (const value of values) {
              const key = `by-hand:${value.flightId}`;
              pipeline.hset(key, value).pexpire(key, TTL_MS);
            }
            return pipeline.exec();
          }),
        async close() {
          await opened.close();
          await client.quit();
        },
      };
    },
  },
];
