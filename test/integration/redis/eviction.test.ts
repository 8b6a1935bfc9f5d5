import type { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis, type Redis } from '../../../connectors/redis/open.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { OwnServer } from './own-server.js';

let own: OwnServer;
let client: Client;
let server: Redis;

beforeAll(async () => {
  own = await OwnServer.start();
  client = own.client();
  server = openRedis({ url: `redis://127.0.0.1:${own.port}` });
});
afterAll(async () => {
  await server?.close();
  client?.disconnect();
  await own?.stop();
});

const counter = redis.counterSink<object>({ key: 'sum' }) as Sink<unknown>;
const stream = redis.streamSink<object>({ stream: 'log', entriesMax: 9 }) as Sink<unknown>;
const hash = redis.hashSink<object>({ key: () => 'k', ttl: minutes(1) }) as Sink<unknown>;
const context = { topology: 'any', step: 'spent', partitions: 1 };

async function evict(max: string, policy: string): Promise<void> {
  await client.config('SET', 'maxmemory', max);
  await client.config('SET', 'maxmemory-policy', policy);
}

it('what adds up is not begun where its fences may be evicted', async () => {
  await evict('1gb', 'allkeys-lru');
  for (const sink of [counter, stream]) {
    expect(await server.sink.mismatches?.(sink)).toMatchObject([
      { refused: true, hint: expect.stringContaining('allkeys-lru') },
    ]);
    await expect(server.sink.setUp?.(sink, context)).rejects.toMatchObject({
      code: 'config',
      where: 'spent',
      permanent: true,
      message: expect.stringContaining('may evict the fences'),
    });
  }
  await server.sink.setUp?.(hash, context);
  expect(await server.sink.mismatches?.(hash)).toEqual([]);
});

it('what evicts only values, or nothing, is as good as any', async () => {
  for (const [max, policy] of [
    ['0', 'allkeys-lru'],
    ['1gb', 'volatile-lru'],
    ['1gb', 'noeviction'],
  ] as const) {
    await evict(max, policy);
    await server.sink.setUp?.(counter, context);
  }
});

it('who may not ask is let in', async () => {
  await evict('1gb', 'allkeys-lru');
  await client.call('ACL', 'SETUSER', 'narrow', 'on', '>secret', '~*', '+@all', '-info');
  const narrow = openRedis({ url: `redis://narrow:secret@127.0.0.1:${own.port}` });
  await narrow.sink.setUp?.(counter, context);
  await narrow.close();
});
