import { Redis as Client } from 'ioredis';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { json } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { type Kind, kinds } from '../redis/kinds.js';
import { fresh, inTopology, OwnService, proxyTo, shared } from './shared.js';

const server = shared(() => OwnService.start('redis'));

/** The server has none, and takes any. */
const SECRET = 'not-for-any-log';

async function opened() {
  const service = await server();
  const { port } = service;
  const proxy = await proxyTo(port);
  const url = `redis://default:${SECRET}@127.0.0.1:${proxy.port}`;
  const driver = openRedis({ url, attemptsMax: 6, timeoutMs: 400 });
  const admin = new Client(port).on('error', () => undefined); // it is cut with the server
  const close = async () => {
    await driver.close();
    admin.disconnect();
    await proxy.close();
  };
  return { driver, admin, proxy, secret: SECRET, restart: () => service.restart(), close };
}

async function structure({ sink, visible }: Pick<Kind, 'sink' | 'visible'>) {
  const name = fresh();
  const { driver, admin, ...world } = await opened();
  const said = async (...words: readonly [string, ...string[]]) => void (await admin.call(...words));
  return {
    ...world,
    driver: inTopology(name, driver.sink),
    sink: sink(name),
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    visible: () => visible(admin, name),
    async refusedForNow() {
      await said('CONFIG', 'SET', 'min-replicas-to-write', '1');
      return () => said('CONFIG', 'SET', 'min-replicas-to-write', '0');
    },
    async refusedForGood() {
      await said('ACL', 'SETUSER', 'default', '-@scripting');
      return () => said('ACL', 'SETUSER', 'default', '+@all');
    },
  } satisfies SinkFaultWorld;
}

/** Hashes of few keys: the newest value of each stays. */
async function hashes(): Promise<SinkFaultWorld> {
  const keyOf = (n: number) => n % 7;
  const world = await structure({
    sink: (name) =>
      redis.hash<{ n: number }>({ key: ({ n }) => `${name}:${keyOf(n)}`, ttl: minutes(5) }) as Sink<unknown>,
    async visible(client, name) {
      const keys = await client.keys(`${name}:*`);
      return Promise.all(keys.map(async (key) => Number(await client.hget(key, 'n'))));
    },
  });
  return { ...world, keyOf, replaces: true };
}

const others = kinds.filter(({ kind }) => kind !== 'redis.hash').map((each) => [each.kind, () => structure(each)]);

export const sinks: Readonly<Record<string, () => Promise<SinkFaultWorld>>> = {
  'redis.hash': hashes,
  ...Object.fromEntries(others),
};

export const sources = {
  async 'redis.entries'(): Promise<SourceFaultWorld> {
    const stream = fresh();
    const { driver, admin, ...world } = await opened();
    return {
      ...world,
      driver: driver.source,
      source: redis.entries<unknown>({ stream, schema: json<unknown>({ subject: 'any' }) }),
      async append(numbers) {
        const pipeline = admin.pipeline();
        for (const n of numbers) pipeline.xadd(stream, '*', 'n', String(n), 'pad', 'x'.repeat(100));
        await pipeline.exec();
      },
      numberOf: ({ value }) => Number((JSON.parse(Buffer.from(value ?? []).toString()) as { n: unknown }).n),
    };
  },
};
