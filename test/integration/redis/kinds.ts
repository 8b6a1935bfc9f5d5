import type { Redis as Client } from 'ioredis';
import { redis } from '../../../connectors/redis/index.js';
import { minutes, type Sink } from '../../../src/core/index.js';

export interface Value {
  readonly n: number;
}

/** A sink of each kind, and how another client finds what it wrote. */
export interface Kind {
  readonly kind: string;
  sink(prefix: string): Sink<unknown>;
  /** The numbers of the values, as often as they are there. */
  visible(client: Client, prefix: string): Promise<readonly number[]>;
}

const keysOf = (client: Client, prefix: string) => client.keys(`${prefix}:*`);
const repeated = (n: number, times: number): number[] => Array.from({ length: times }, () => n);

export const kinds: readonly Kind[] = [
  {
    kind: 'redis.hashSink',
    sink: (prefix) => redis.hashSink<Value>({ key: (v) => `${prefix}:${v.n}`, ttl: minutes(5) }) as Sink<unknown>,
    visible: async (client, prefix) =>
      Promise.all((await keysOf(client, prefix)).map(async (key) => Number(await client.hget(key, 'n')))),
  },
  {
    kind: 'redis.stringSink',
    sink: (prefix) =>
      redis.stringSink<Value>({ key: (v) => `${prefix}:${v.n}`, value: (v) => String(v.n) }) as Sink<unknown>,
    visible: async (client, prefix) => {
      const keys = await keysOf(client, prefix);
      return keys.length === 0 ? [] : (await client.mget(...keys)).map(Number);
    },
  },
  {
    kind: 'redis.streamSink',
    sink: (prefix) => redis.streamSink<Value>({ stream: prefix, entriesMax: 1_000_000 }) as Sink<unknown>,
    visible: async (client, prefix) =>
      (await client.xrange(prefix, '-', '+')).map(([, fields]) => Number(fields[fields.indexOf('n') + 1])),
  },
  {
    kind: 'redis.sortedSetSink',
    sink: (prefix) =>
      redis.sortedSetSink<Value>({ key: prefix, member: (v) => `m${v.n}`, score: (v) => v.n }) as Sink<unknown>,
    visible: async (client, prefix) =>
      (await client.zrange(prefix, '0', '-1', 'WITHSCORES')).filter((_, i) => i % 2 === 1).map(Number),
  },
  {
    kind: 'redis.setSink',
    sink: (prefix) => redis.setSink<Value>({ key: prefix, member: (v) => String(v.n) }) as Sink<unknown>,
    visible: async (client, prefix) => (await client.smembers(prefix)).map(Number),
  },
  {
    kind: 'redis.counterSink',
    sink: (prefix) => redis.counterSink<Value>({ key: prefix, field: (v) => String(v.n) }) as Sink<unknown>,
    visible: async (client, prefix) =>
      Object.entries(await client.hgetall(prefix)).flatMap(([n, times]) => repeated(Number(n), Number(times))),
  },
];

export const jsonKind: Kind = {
  kind: 'redis.jsonSink',
  sink: (prefix) => redis.jsonSink<Value>({ key: (v) => `${prefix}:${v.n}` }) as Sink<unknown>,
  visible: async (client, prefix) =>
    Promise.all(
      (await keysOf(client, prefix)).map(
        async (key) => JSON.parse(String(await client.call('JSON.GET', key, '$.n')))[0],
      ),
    ),
};
