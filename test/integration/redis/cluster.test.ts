import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis as Client, Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis, type Redis } from '../../../connectors/redis/open.js';
import { slotOf } from '../../../connectors/redis/server/hash-slot.js';
import { EARLIEST, minutes, type Sink, type SinkWriter } from '../../../src/core/index.js';
import { json } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { OwnCluster, type OwnServer, until } from './own-server.js';

// Three masters on loopback.

let own: OwnCluster;
let server: Redis;
let reader: Cluster;
let made = 0;

beforeAll(async () => {
  own = await OwnCluster.start();
  server = openRedis({ url: own.url });
  reader = new Cluster(own.servers.map(({ port }) => ({ host: '127.0.0.1', port })));
  reader.on('error', () => undefined);
});
afterAll(async () => {
  await server?.close();
  reader?.disconnect();
  await own?.stop();
});

interface Value {
  readonly n: number;
}
const fresh = () => `c${made++}`;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

const open = <T>(sink: Sink<T>, topology: string, incarnation = 0): Promise<SinkWriter> =>
  server.sink.open(sink as Sink<unknown>, { step: 'out', task: { topology, partition: 0 }, incarnation });

const write = (writer: SinkWriter, numbers: readonly number[]) =>
  writer.write(
    numbers.map((n) => ({ n })),
    numbers.map((n) => originAt(n)),
  );

const hashes = (name: string) => redis.hashSink<Value>({ key: (v) => `${name}:${v.n}`, ttl: minutes(5) });
const counters = (name: string) => redis.counterSink<Value>({ key: (v) => `${name}:${v.n % 300}` });

async function numbersIn(name: string): Promise<number[]> {
  const keys = await server.keys(`${name}:`);
  return (await server.hashes(keys)).map(({ n }) => Number(n));
}

const countsOf = async (name: string, keys: number) =>
  Promise.all(range(0, keys).map(async (i) => Number(await reader.get(`${name}:${i}`))));

describe('keeps the contract of sinks', () => {
  const world = async () => {
    const name = fresh();
    const driver = server.sink;
    return {
      driver: {
        ...driver,
        open: (sink: Sink<unknown>, context: Parameters<typeof driver.open>[1]) =>
          driver.open(sink, { ...context, task: { ...context.task, topology: name } }),
      },
      sink: hashes(name) as Sink<unknown>,
      openLedger: memoryLedgers(),
      value: (n: number) => ({ n }),
      visible: () => numbersIn(name),
      close: async () => undefined,
    };
  };
  for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
});

describe('a cluster', () => {
  it('is noticed by asking one of its nodes', async () => {
    const one = openRedis({ url: `redis://127.0.0.1:${own.servers[1]?.port}` });
    const name = fresh();
    const writer = await one.sink.open(hashes(name) as Sink<unknown>, {
      step: 'out',
      task: { topology: name, partition: 0 },
      incarnation: 0,
    });
    await write(writer, range(0, 100));
    await writer.prepare?.();
    expect((await numbersIn(name)).sort((a, b) => a - b)).toEqual(range(0, 100));
    expect(await one.remove(`${name}:`)).toBe(100);
    expect(await numbersIn(name)).toEqual([]);
    await one.close();
  });

  it('has fences beside what they guard, and refuses an older incarnation there', async () => {
    const name = fresh();
    const old = await open(counters(name), name);
    await write(old, range(0, 300));
    await old.prepare?.();
    const fences = (await server.keys('millrace:fence:')).filter((key) => key.includes(`:${name}:`));
    expect(new Set(fences.map(slotOf))).toEqual(new Set(range(0, 300).map((i) => slotOf(`${name}:${i}`))));
    const restored = await open(counters(name), name, 1);
    await write(restored, range(0, 300));
    await restored.prepare?.();
    await write(old, range(300, 600));
    await expect(old.prepare?.()).rejects.toMatchObject({ code: 'fenced' });
    expect(await countsOf(name, 300)).toEqual(range(0, 300).map(() => 2));
    const fencesOf = async (topology: string) =>
      (await server.keys('millrace:fence:')).filter((key) => key.includes(`:${topology}`));
    const other = `${name}x`;
    const beside = await open(counters(other), other);
    await write(beside, range(0, 3));
    await beside.prepare?.();
    await server.removeFences(name);
    expect(await fencesOf(`${name}:`)).toEqual([]);
    expect(await fencesOf(other)).not.toEqual([]);
  });

  it('answers lookups and publishes, whichever nodes that concerns', async () => {
    const name = fresh();
    const writer = await open(hashes(name), name);
    await write(writer, range(0, 20));
    await writer.prepare?.();
    await Promise.all(range(0, 20).map((n) => reader.set(`${name}:text:${n}`, String(n))));
    const ask = async (
      lookup: ReturnType<typeof redis.hashLookup> | ReturnType<typeof redis.stringLookup>,
      keys: string[],
    ) =>
      (await (await server.lookup.open(lookup, 'step')).get(keys, new AbortController().signal)).map((answer) =>
        answer.kind === 'found' ? answer.value : answer.kind,
      );
    const wanted = [...range(0, 20), 99];
    expect(
      await ask(
        redis.hashLookup({ decode: ({ n }) => Number(n) }),
        wanted.map((n) => `${name}:${n}`),
      ),
    ).toEqual([...range(0, 20), 'missing']);
    expect(
      await ask(
        redis.stringLookup({ decode: Number }),
        wanted.map((n) => `${name}:text:${n}`),
      ),
    ).toEqual([...range(0, 20), 'missing']);
    const listener = new Client({ port: own.servers[2]?.port as number });
    await listener.psubscribe(`${name}:*`);
    const heard: string[] = [];
    listener.on('pmessage', (_pattern, _channel, message) => heard.push(message));
    const sink = redis.publishSink<Value>({ channel: (v) => `${name}:${v.n % 7}`, message: (v) => String(v.n) });
    const task = { topology: name, partition: 0 };
    const publisher = await server.publishSink.open(sink as Sink<unknown>, { step: 'out', task, incarnation: 0 });
    await write(publisher, range(0, 50));
    await publisher.prepare?.();
    while (heard.length < 50) await once(listener, 'pmessage');
    expect(heard.map(Number).sort((a, b) => a - b)).toEqual(range(0, 50));
    listener.disconnect();
  });

  it('has streams, each on its node', async () => {
    const name = fresh();
    const sink = redis.streamSink<Value>({ stream: (v) => `${name}:${v.n % 4}`, entriesMax: 1_000 });
    const writer = await open(sink, name);
    await write(writer, range(0, 40));
    await writer.prepare?.();
    const source = redis.streamSource({ stream: name, partitions: 4, schema: json<unknown>({ subject: 'any' }) });
    expect(await server.source.partitions(source)).toBe(4);
    for (const partition of range(0, 4)) {
      const task = { topology: name, partition };
      const reader = await server.source.open(source, {
        task,
        partition,
        offset: EARLIEST,
        bounded: false,
        step: 'in',
      });
      const { records } = await reader.poll(100);
      expect(records.map(({ value }) => Number(JSON.parse(String(value)).n) % 4)).toEqual(
        range(0, 10).map(() => partition),
      );
      await reader.poll(10);
      await reader.close();
    }
  });

  it('adds once while a replica takes the place of its master, asked to or because that died, and is replaced itself', async () => {
    const name = fresh();
    const writer = await open(counters(name), name);
    const first = own.servers[1] as OwnServer;
    const second = await own.addReplicaOf(first);
    const isMaster = async (server: OwnServer) => {
      const client = server.client();
      const role = await client.info('replication');
      client.disconnect();
      return role.includes('role:master');
    };
    const writeAll = async (from: number, to: number) => {
      for (let at = from; at < to; at += 300) {
        await write(writer, range(at, at + 300));
        await sleep(1);
      }
    };
    await writeAll(0, 3_000);
    const asked = second.client();
    const takenOver = async () => {
      // It is refused, or given up after five seconds, while nodes are too busy to answer.
      for (let tries = 0; !(await isMaster(second)); tries++) {
        if (tries % 300 === 0) await asked.cluster('FAILOVER').catch(() => undefined);
        await sleep(20);
      }
    };
    await Promise.all([writeAll(3_000, 6_000), takenOver()]);
    await writer.prepare?.();
    // What a master has answered and its replica has not heard is lost with it: see the guide.
    await until(async () => (await asked.wait(1, 1_000)) === 1);
    asked.disconnect();
    await second.kill();
    await Promise.all([writeAll(6_000, 9_000), until(() => isMaster(first))]);
    await writer.prepare?.();
    expect(await countsOf(name, 300)).toEqual(range(0, 300).map(() => 30));
    const restored = await open(counters(name), name);
    await write(restored, range(6_000, 9_300));
    await restored.prepare?.();
    expect(await countsOf(name, 300)).toEqual(range(0, 300).map(() => 31));
  });

  it('adds once while a slot moves from one node to another', async () => {
    const name = fresh();
    const key = `${name}:{moving}`;
    const sink = redis.counterSink<Value>({ key });
    const first = await open(sink, name);
    await write(first, range(0, 100));
    await first.prepare?.();
    const moved = move(slotOf(key));
    for (let at = 100; at < 1_100; at += 50) {
      await write(first, range(at, at + 50));
      await sleep(2);
    }
    await first.prepare?.();
    await moved;
    const second = await open(sink, name);
    await write(second, range(500, 1_200));
    await second.prepare?.();
    expect(await reader.get(key)).toBe('1200');
  });

  it('adds once while a node is killed and comes back', async () => {
    const name = fresh();
    const writer = await open(counters(name), name);
    let back: Promise<void> | undefined;
    for (let at = 0; at < 9_000; at += 300) {
      if (at === 1_500) {
        const victim = own.servers[0] as OwnServer;
        await victim.kill();
        back = sleep(300).then(() => victim.run());
      }
      await write(writer, range(at, at + 300));
      await sleep(1);
    }
    await writer.prepare?.();
    await back;
    expect(await countsOf(name, 300)).toEqual(range(0, 300).map(() => 30));
  });

  it('has no databases, and is not what one server with several names is', async () => {
    await expect(setUp(`redis://127.0.0.1:${own.servers[0]?.port}/2`)).rejects.toMatchObject({ code: 'config' });
    const { hostname, port } = new URL(process.env.MILLRACE_REDIS as string);
    await expect(setUp(`redis://${hostname}:${port},${hostname}:${port}`)).rejects.toMatchObject({
      code: 'sink',
      hint: expect.stringContaining('several hosts'),
    });
  });
});

async function setUp(url: string): Promise<void> {
  const opened = openRedis({ url, attemptsMax: 2 });
  try {
    await opened.sink.setUp?.(hashes('any') as Sink<unknown>, { topology: 'any', step: 'out', partitions: 1 });
  } finally {
    await opened.close();
  }
}

/** Hands a slot over from its node to the next, key by key, as `redis-cli --cluster reshard` does. */
async function move(slot: number): Promise<void> {
  const clients = own.servers.map((each) => each.client());
  const ids = await Promise.all(clients.map((client) => client.cluster('MYID')));
  const share = Math.ceil(16_384 / clients.length);
  const from = Math.floor(slot / share);
  const to = (from + 1) % clients.length;
  const [source, target] = [clients[from] as Client, clients[to] as Client];
  await target.cluster('SETSLOT', slot, 'IMPORTING', ids[from] as string);
  await source.cluster('SETSLOT', slot, 'MIGRATING', ids[to] as string);
  await sleep(20);
  for (;;) {
    const keys = (await source.cluster('GETKEYSINSLOT', slot, 1)) as string[];
    if (keys.length === 0) break;
    await source.call('MIGRATE', '127.0.0.1', own.servers[to]?.port as number, keys[0] as string, 0, 5_000);
    await sleep(20); // half of the slot is here, half there
  }
  await target.cluster('SETSLOT', slot, 'NODE', ids[to] as string);
  await source.cluster('SETSLOT', slot, 'NODE', ids[to] as string);
  for (const client of clients) client.disconnect();
}
