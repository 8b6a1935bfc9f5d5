import { type ChainableCommander, Redis } from 'ioredis';
import { redis } from '../../connectors/redis/index.js';
import { openRedis } from '../../connectors/redis/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { hours } from '../../src/core/index.js';
import type { Sink } from '../../src/core/sink.js';
import type { Contest } from './contest.js';
import { inBatches, sinkSide } from './side.js';

const ttl = hours(6);
const PIPELINE = 1_000;

/** `commands` is what a value is by hand, in pipelines, one under way while the next fills. */
const contest = (
  sink: Sink<Prediction>,
  names: string,
  commands: (pipeline: ChainableCommander, value: Prediction) => unknown,
  server: 'redis' | 'redis8' = 'redis',
): Contest => ({
  name: sink.kind,
  byHand: `ioredis: ${names} in pipelines of ${PIPELINE}`,
  needs: [server],
  records: 50_000,
  async open({ [server]: url }) {
    const opened = openRedis({ url });
    const client = new Redis(url);
    return {
      sink: (run) => sinkSide(sink.kind === 'redis.publishSink' ? opened.publishSink : opened.sink, sink, run),
      byHand: async () =>
        inBatches(PIPELINE, (values) => {
          const pipeline = client.pipeline();
          for (const value of values) commands(pipeline, value);
          return pipeline.exec();
        }),
      async close() {
        await opened.close();
        await client.quit();
      },
    };
  },
});

export const contests: readonly Contest[] = [
  contest(redis.hashSink({ key: (p) => `flight:${p.flightId}`, ttl }), 'HSET and PEXPIRE', (pipeline, p) =>
    pipeline.hset(`by-hand:${p.flightId}`, p).pexpire(`by-hand:${p.flightId}`, ttl),
  ),
  contest(
    redis.stringSink({ key: (p) => `late:${p.flightId}`, value: (p) => String(p.late), ttl }),
    'SET with PX',
    (pipeline, p) => pipeline.set(`by-hand:late:${p.flightId}`, String(p.late), 'PX', ttl),
  ),
  contest(
    redis.jsonSink({ key: (p) => `flight-json:${p.flightId}`, ttl }),
    'JSON.SET and PEXPIRE',
    (pipeline, p) =>
      pipeline
        .call('JSON.SET', `by-hand:json:${p.flightId}`, '$', JSON.stringify(p))
        .pexpire(`by-hand:json:${p.flightId}`, ttl),
    'redis8',
  ),
  contest(
    redis.streamSink({ stream: 'scored', fields: ({ flightId, late }) => ({ flightId, late }), entriesMax: 100_000 }),
    'XADD with MAXLEN',
    (pipeline, { flightId, late }) =>
      pipeline.xadd('by-hand:scored', 'MAXLEN', '~', 100_000, '*', 'flightId', flightId, 'late', late),
  ),
  contest(
    redis.sortedSetSink({ key: 'latest', member: (p) => String(p.flightId), score: (p) => p.late }),
    'ZADD',
    (pipeline, p) => pipeline.zadd('by-hand:latest', p.late, p.flightId),
  ),
  contest(redis.setSink({ key: 'seen', member: (p) => String(p.flightId) }), 'SADD', (pipeline, p) =>
    pipeline.sadd('by-hand:seen', p.flightId),
  ),
  contest(redis.counterSink({ key: 'flights', field: (p) => p.origin }), 'HINCRBY', (pipeline, p) =>
    pipeline.hincrby('by-hand:flights', p.origin, 1),
  ),
  contest(redis.publishSink({ channel: 'late', message: (p) => String(p.late) }), 'PUBLISH', (pipeline, p) =>
    pipeline.publish('by-hand:late', String(p.late)),
  ),
];
