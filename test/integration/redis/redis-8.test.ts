import type { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis, type Redis } from '../../../connectors/redis/open.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { type SinkWorld, sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { jsonKind, kinds } from './kinds.js';
import { OwnServer, redis8 } from './own-server.js';

let own: OwnServer;
let server: Redis;
let client: Client;
let made = 0;

beforeAll(async () => {
  own = await OwnServer.start(redis8());
  client = own.client();
  server = openRedis({ url: `redis://127.0.0.1:${own.port}` });
});
afterAll(async () => {
  await server?.close();
  client?.disconnect();
  await own?.stop();
});

const fresh = () => `r${made++}`;

it('is Redis 8', async () => {
  expect(await client.info('server')).toMatch(/^redis_version:8\./m);
});

describe.each([...kinds, jsonKind])('$kind', ({ sink, visible }) => {
  const world = async (): Promise<SinkWorld> => {
    const prefix = fresh();
    const driver = server.sink;
    return {
      driver: {
        ...driver,
        open: (written, context) => driver.open(written, { ...context, task: { ...context.task, topology: prefix } }),
      },
      sink: sink(prefix),
      openLedger: memoryLedgers(),
      value: (n) => ({ n }),
      visible: () => visible(client, prefix),
      close: async () => undefined,
    };
  };
  for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
});

describe('redis.jsonSink', () => {
  const hostile = hostileValuesContract(async () => {
    const prefix = fresh();
    return {
      driver: {
        ...server.sink,
        open: (written, context) =>
          server.sink.open(written, { ...context, task: { ...context.task, topology: prefix } }),
      },
      sink: redis.jsonSink<{ n: number }>({ key: ({ n }) => `${prefix}:${n}` }) as Sink<unknown>,
      openLedger: memoryLedgers(),
      row: (n, v) => ({ n, v }),
      plain: 'plain',
      async read() {
        const keys = await client.keys(`${prefix}:*`);
        const documents = await Promise.all(keys.map((key) => client.call('JSON.GET', key)));
        return new Map(documents.map((text) => JSON.parse(String(text))).map(({ n, v }) => [n, v]));
      },
      stored: asJson,
      close: async () => undefined,
    };
  });
  for (const { name, run } of hostile) it(name, run);

  it('keeps documents that Redis can look into, takes away what is null, and has a time to live', async () => {
    const name = fresh();
    const sink = redis.jsonSink<{ doc: object | null }>({ key: () => name, value: (v) => v.doc, ttl: minutes(2) });
    const writer = await server.sink.open(sink as Sink<unknown>, {
      step: 'documents',
      task: { topology: name, partition: 0 },
      incarnation: 0,
    });
    const write = async (doc: object | null, offset: number) => {
      await writer.write([{ doc }], [originAt(offset)]);
      await writer.prepare?.();
    };
    await write({ risk: 0.1 + 0.2, tags: ['ü', null], at: { gate: 'B7' } }, 0);
    expect(await client.call('JSON.GET', name, '$.at.gate')).toBe('["B7"]');
    expect(await client.call('JSON.GET', name, '$.tags')).toBe('[["ü",null]]');
    expect(await client.pttl(name)).toBeGreaterThan(110_000);
    await write({ risk: 1 }, 1);
    expect(await client.call('JSON.GET', name)).toBe('{"risk":1}');
    await write({ by: new Map([['a', 1]]) }, 2);
    expect(await client.call('JSON.GET', name)).toBe('{"by":{"a":1}}');
    await write(null, 3);
    expect(await client.exists(name)).toBe(0);
  });
});
