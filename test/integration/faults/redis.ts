import { setTimeout as sleep } from 'node:timers/promises';
import { Redis as Client } from 'ioredis';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { json } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { lastingPorts } from '../../ports.js';
import { jsonKind, type Kind, kinds } from '../redis/kinds.js';
import { OwnServer, redis8, type Start } from '../redis/own-server.js';
import { changeTo, changing, keyOf, metricTo, type Numbered } from './changes.js';
import type { Service } from './kinds.js';
import { fresh, inTopology, proxyTo, shared } from './shared.js';

/** What it has answered is on its disk, which is what is promised (see the guide). */
const sure = ['--appendfsync', 'always'];
const begun = async (start: Start) => OwnServer.start(start, (await lastingPorts(1))[0] as number);
const plain = () => shared(() => begun({ args: ['--port', 'PORT', ...sure] }));
type Server = ReturnType<typeof plain>;
const withJson = shared(() => begun(redis8(sure)));

/** The server has none, and takes any. */
const SECRET = 'not-for-any-log';

async function opened(start: Server) {
  const service = await start();
  const { port } = service;
  const proxy = await proxyTo(port);
  const url = `redis://default:${SECRET}@127.0.0.1:${proxy.port}`;
  const driver = openRedis({ url, attemptsMax: 6, timeoutMs: 400 });
  const admin = new Client(port).on('error', () => undefined); // it is cut with the server
  const said = async (...words: readonly [string, ...string[]]) => void (await admin.call(...words));
  const close = async () => {
    await driver.close();
    admin.disconnect();
    await proxy.close();
  };
  const restart = async () => {
    await service.kill();
    await service.run();
  };
  return { driver, admin, said, proxy, port, secret: SECRET, restart, close };
}

type Structure = Pick<Kind, 'sink' | 'visible'> & { readonly value?: (n: number) => unknown };

async function structure(start: Server, { sink, visible, value = (n) => ({ n }) }: Structure) {
  const name = fresh();
  const { driver, admin, said, ...world } = await opened(start);
  return {
    ...world,
    driver: inTopology(name, driver.sink),
    sink: sink(name),
    openLedger: memoryLedgers(),
    value,
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

const numbersOfHashes: Kind['visible'] = async (client, name) =>
  Promise.all((await client.keys(`${name}:*`)).map(async (key) => Number(await client.hget(key, 'n'))));

/** Hashes of few keys: the newest value of each stays. */
const hashes = async (start: Server) => ({
  ...(await structure(start, {
    sink: (name) =>
      redis.hashSink<Numbered>({ key: ({ n }) => `${name}:${keyOf(n)}`, ttl: minutes(5) }) as Sink<unknown>,
    visible: numbersOfHashes,
  })),
  keyOf,
  replaces: true,
});

const upserts = async (start: Server) => ({
  ...(await structure(start, {
    sink: (name) => redis.upsertSink<Numbered>({ prefix: `${name}:` }) as Sink<unknown>,
    visible: numbersOfHashes,
    value: changeTo,
  })),
  ...changing,
});

/** Measurements of few metrics: of each that with the greatest event time stays. */
const measurements = async (start: Server) => ({
  ...(await structure(start, {
    sink: (name) => redis.metricsSink({ prefix: `${name}:`, ttl: minutes(5) }) as Sink<unknown>,
    visible: async (client, name) =>
      Promise.all((await client.keys(`${name}:*`)).map(async (key) => Number(await client.hget(key, 'value')))),
    value: metricTo,
  })),
  keyOf,
  replaces: true,
});

/** One subscriber, which is connected whenever something can be published. */
async function channel(start: Server): Promise<SinkFaultWorld> {
  const name = fresh();
  const { driver, admin, said, port, proxy, ...world } = await opened(start);
  const listener = new Client(port).on('error', () => undefined);
  const heard: number[] = [];
  listener.on('message', (_, message) => heard.push((JSON.parse(message) as Numbered).n));
  await listener.subscribe(name);
  return {
    ...world,
    proxy,
    driver: driver.publishSink,
    sink: redis.publishSink<Numbered>({ channel: name }) as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    keyOf: () => 'the channel',
    async restart() {
      await proxy.shut();
      await listener.ping(); // behind what was published
      await world.restart();
      while (((await admin.pubsub('NUMSUB', name)) as [string, number])[1] === 0) await sleep(10);
      await proxy.heal();
    },
    refusedForNow: () => busy(port, admin),
    async refusedForGood() {
      await said('ACL', 'SETUSER', 'default', '-publish');
      return () => said('ACL', 'SETUSER', 'default', '+@all');
    },
    async visible() {
      await listener.ping();
      return heard;
    },
    async close() {
      listener.disconnect();
      await world.close();
    },
  };
}

/** A server that runs a script of somebody else, and says so to everybody. */
async function busy(port: number, admin: Client) {
  await admin.config('SET', 'busy-reply-threshold', '1');
  const other = new Client(port);
  const ended = other.eval('while true do end', 0).catch(() => undefined);
  while (await admin.ping().then(Boolean, () => false)) await sleep(5);
  return async () => {
    await admin.script('KILL');
    await ended;
    other.disconnect();
    await admin.config('SET', 'busy-reply-threshold', '5000');
  };
}

async function entries(start: Server): Promise<SourceFaultWorld> {
  const stream = fresh();
  const { driver, admin, said, port, ...world } = await opened(start);
  return {
    ...world,
    refusedForNow: () => busy(port, admin),
    async refusedForGood() {
      await said('ACL', 'SETUSER', 'default', '-@stream');
      return () => said('ACL', 'SETUSER', 'default', '+@all');
    },
    driver: driver.source,
    source: redis.streamSource<unknown>({ stream, schema: json<unknown>({ subject: 'any' }) }),
    async append(numbers) {
      const pipeline = admin.pipeline();
      for (const n of numbers) pipeline.xadd(stream, '*', 'n', String(n), 'pad', 'x'.repeat(100));
      await pipeline.exec();
    },
    numberOf: ({ value }) => Number((JSON.parse(Buffer.from(value ?? []).toString()) as { n: unknown }).n),
  };
}

const deferred = (open: () => Promise<SinkFaultWorld>) => async () => ({ ...(await open()), deferred: true });
const [one, two] = [plain(), plain()];
const others = kinds
  .filter(({ kind }) => kind !== 'redis.hashSink')
  .map((each) => [each.kind, () => structure(one, each)]);

/** Side by side, each with servers of its own. */
export const lanes: readonly Service[] = [
  { sinks: Object.fromEntries(others) },
  {
    sinks: {
      'redis.hashSink': () => hashes(two),
      'redis.hashSink idleTimeout': deferred(() => hashes(two)),
      'redis.upsertSink': () => upserts(two),
      'redis.upsertSink idleTimeout': deferred(() => upserts(two)),
      'redis.metricsSink': () => measurements(two),
      'redis.publishSink': () => channel(two),
    },
    sources: { 'redis.streamSource': () => entries(two) },
  },
  { sinks: { 'redis.jsonSink': () => structure(withJson, jsonKind) } },
];
