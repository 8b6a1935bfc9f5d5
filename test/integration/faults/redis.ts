import { Redis as Client } from 'ioredis';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { fresh, inTopology, OwnService, proxyTo, shared } from './shared.js';

const server = shared(() => OwnService.start('redis'));

/** The server has none, and takes any. */
const SECRET = 'not-for-any-log';

/** Hashes of few keys: the newest value of each stays. */
async function hashes(): Promise<SinkFaultWorld> {
  const { port, restart } = await own();
  const name = fresh();
  const proxy = await proxyTo(port);
  const driver = openRedis({
    url: `redis://default:${SECRET}@127.0.0.1:${proxy.port}`,
    attemptsMax: 6,
    timeoutMs: 400,
  });
  const admin = new Client(port).on('error', () => undefined); // it is cut with the server
  const said = async (...words: readonly [string, ...string[]]) => void (await admin.call(...words));
  const keyOf = (n: number) => n % 7;
  return {
    driver: inTopology(name, driver.sink),
    sink: redis.hash<{ n: number }>({ key: ({ n }) => `${name}:${keyOf(n)}`, ttl: minutes(5) }) as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    keyOf,
    replaces: true,
    proxy,
    restart,
    secret: SECRET,
    async refusedForNow() {
      await said('CONFIG', 'SET', 'min-replicas-to-write', '1');
      return () => said('CONFIG', 'SET', 'min-replicas-to-write', '0');
    },
    async refusedForGood() {
      await said('ACL', 'SETUSER', 'default', '-@scripting');
      return () => said('ACL', 'SETUSER', 'default', '+@all');
    },
    async visible() {
      const keys = await admin.keys(`${name}:*`);
      return Promise.all(keys.map(async (key) => Number(await admin.hget(key, 'n'))));
    },
    async close() {
      await driver.close();
      admin.disconnect();
      await proxy.close();
    },
  };
}

async function own() {
  const service = await server();
  return { port: service.port, restart: () => service.restart() };
}

export const sinks = { 'redis.hash': hashes };
