import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis, type Redis, type RedisOptions } from '../../../connectors/redis/open.js';
import { minutes, type Sink, type SinkWriter } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { changesOf, foldOf, type Kept } from '../../changes.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { lastingPorts } from '../../ports.js';
import { address } from '../address.js';

const url = () => address('MILLRACE_REDIS');
let sinks: Redis;
let reader: Client;
let made = 0;

beforeAll(async () => {
  sinks = openRedis({ url: url() });
  reader = new Client(url());
});
afterAll(async () => {
  await sinks?.close();
  reader?.disconnect();
});

/** As a run does before it opens a task. */
async function ready(options: RedisOptions): Promise<void> {
  const opened = openRedis(options);
  try {
    await opened.sink.setUp?.(sinkFor('any'), { topology: 'any', step: 'online', partitions: 1 });
  } finally {
    await opened.close();
  }
}

/** A name of its own for each test: the server keeps what earlier runs wrote. */
const fresh = () => `t${Date.now().toString(36)}.${process.pid}.${made++}`;

interface Value {
  readonly key: number;
  readonly n: number;
}
const sinkFor = (prefix: string) =>
  redis.hashSink<Value>({ key: (v) => `${prefix}:${v.key}`, ttl: minutes(5) }) as Sink<unknown>;

const open = (topology: string, incarnation = 0, partition = 0): Promise<SinkWriter> =>
  sinks.sink.open(sinkFor(topology), { step: 'online', task: { topology, partition }, incarnation });

async function put(writer: SinkWriter, offsets: readonly number[], keys = 10): Promise<void> {
  await writer.write(
    offsets.map((n) => ({ key: n % keys, n })),
    offsets.map((offset) => originAt(offset)),
  );
  await writer.prepare?.();
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function stored(prefix: string): Promise<Record<string, number>> {
  const keys = await reader.keys(`${prefix}:*`);
  const entries = await Promise.all(keys.map(async (key) => [key.split(':')[1], Number(await reader.hget(key, 'n'))]));
  return Object.fromEntries(entries) as Record<string, number>;
}

describe('keeps the contract of sinks', () => {
  const world = async () => {
    const prefix = fresh();
    const task = `${prefix}-contract`;
    const driver = sinks.sink;
    return {
      // Each world is a topology of its own: fences have no end.
      driver: {
        ...driver,
        open: (sink: Sink<unknown>, context: Parameters<typeof driver.open>[1]) =>
          driver.open(sink, { ...context, task: { ...context.task, topology: task } }),
      },
      sink: redis.hashSink<{ n: number }>({ key: (v) => `${prefix}:${v.n}`, ttl: minutes(5) }) as Sink<unknown>,
      openLedger: memoryLedgers(),
      value: (n: number) => ({ n }),
      visible: async () => Object.values(await stored(prefix)),
      close: async () => {},
    };
  };
  for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
});

describe('redis.upsertSink', () => {
  const openUpserts = (prefix: string) =>
    sinks.sink.open(redis.upsertSink<Kept>({ prefix: `${prefix}:` }) as Sink<unknown>, {
      step: 'online',
      task: { topology: prefix, partition: 0 },
      incarnation: 0,
    });

  it('ends in the state that the changes tell of, through a crash and a replay that is cut otherwise', async () => {
    const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        changesOf({ minLength: 1, maxLength: 40 }),
        fc.nat({ max: 39 }),
        fc.nat({ max: 39 }),
        cuts,
        async (changes, died, from, pieces) => {
          const name = fresh();
          const write = async (writer: SinkWriter, start: number, end: number) => {
            const edges = [start, ...pieces.filter((cut) => cut > start && cut < end).sort((a, b) => a - b), end];
            for (let i = 1; i < edges.length; i++) {
              const numbers = range(edges[i - 1] as number, edges[i] as number);
              await writer.write(
                numbers.map((n) => changes[n]),
                numbers.map((n) => originAt(n)),
              );
              await writer.prepare?.();
            }
          };
          await write(await openUpserts(name), 0, Math.min(died, changes.length));
          await write(await openUpserts(name), Math.min(from, died, changes.length), changes.length);
          const keys = (await reader.keys(`${name}:*`)).sort();
          const found = await Promise.all(keys.map((key) => reader.hgetall(key)));
          expect(
            Object.fromEntries(
              found.map(({ n, group }, i) => [keys[i]?.split(':')[1], { n: Number(n), group: Number(group) }]),
            ),
          ).toEqual(foldOf(changes));
          for (const key of keys) expect(await reader.pttl(key)).toBe(-1);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('redis.hashSink', () => {
  it('goes on after a chunk without records', async () => {
    const name = fresh();
    const sink = redis.hashSink<{ n: number }>({ key: () => `${name}:1`, ttl: minutes(5) }) as Sink<unknown>;
    const writer = await sinks.sink.open(sink, {
      step: 'online',
      task: { topology: name, partition: 0 },
      incarnation: 0,
    });
    await put(writer, []);
    await put(writer, [7]);
    expect(await stored(name)).toEqual({ 1: 7 });
  });

  it('keeps what is newest by a field, within a call and from one to the next', async () => {
    const name = fresh();
    const key = (v: { id: string }) => `${name}:${v.id}`;
    const sink = redis.hashSink<{ id: string; at?: number }>({ key, ttl: minutes(5), newest: 'at' }) as Sink<unknown>;
    const task = { topology: name, partition: 0 };
    const writer = await sinks.sink.open(sink, { step: 'online', task, incarnation: 0 });
    const write = async (from: number, values: readonly object[]) => {
      await writer.write(
        values,
        values.map((_, i) => originAt(from + i)),
      );
      await writer.prepare?.();
    };
    await write(1, [
      { id: 'a', at: 5 },
      { id: 'a', at: 3 },
      { id: 'b', at: 1 },
    ]);
    expect(await reader.hgetall(`${name}:a`)).toEqual({ id: 'a', at: '5' });
    await write(4, [{ id: 'a', at: 4 }, { id: 'b', at: 1 }, { id: 'b', at: 2 }, { id: 'c' }]);
    expect(await reader.hgetall(`${name}:a`)).toEqual({ id: 'a', at: '5' });
    expect(await reader.hgetall(`${name}:b`)).toEqual({ id: 'b', at: '2' });
    expect(await reader.hgetall(`${name}:c`)).toEqual({ id: 'c' });
  });

  it('keeps measurements as a metrics sink, those of a later run of the task too', async () => {
    const name = fresh();
    const sink = redis.metricsSink({ prefix: `${name}:`, ttl: minutes(5) }) as Sink<unknown>;
    const row = (eventTimeMs: number, value: number) => ({
      ...{
        topology: 't',
        step: 'model',
        task: 1,
        name: 'loss',
        slice: 'origin=JFK',
        version: 'm.1.0',
        eventTimeMs,
        value,
      },
    });
    const task = { topology: name, partition: 1 };
    for (const [incarnation, rows] of [
      [row(2, 0.2), row(3, 0.3)],
      [row(3, 0.35), row(2, 0.25)],
    ].entries()) {
      const writer = await sinks.sink.open(sink, { step: '$metrics-2', task, incarnation });
      await writer.write(
        rows,
        rows.map((_, i) => originAt(i)),
      );
      await writer.prepare?.();
    }
    expect(await reader.hgetall(`${name}:t:model:1:loss:origin=JFK:m.1.0`)).toEqual({
      ...{ topology: 't', step: 'model', task: '1', name: 'loss', slice: 'origin=JFK', version: 'm.1.0' },
      ...{ eventTimeMs: '3', value: '0.35' },
    });
  });

  it('shows fields as strings, leaves out what is null, and has a time to live', async () => {
    const name = fresh();
    const sink = redis.hashSink({ key: () => `${name}:1`, ttl: minutes(5) }) as Sink<unknown>;
    const task = { topology: name, partition: 0 };
    const writer = await sinks.sink.open(sink, { step: 'online', task, incarnation: 0 });
    const value = { late: 0.1 + 0.2, origin: 'JFK ü', none: null, gone: undefined, ok: true, tags: ['a'] };
    await writer.write([value], [originAt(1)]);
    await writer.prepare?.();
    expect(await reader.hgetall(`${name}:1`)).toEqual({
      late: '0.30000000000000004',
      origin: 'JFK ü',
      ok: 'true',
      tags: '["a"]',
    });
    const ttl = await reader.pttl(`${name}:1`);
    expect(ttl).toBeGreaterThan(290_000);
    expect(ttl).toBeLessThanOrEqual(300_000);
    expect(await reader.pttl(`millrace:fence:${name}:online:0`)).toBe(-1);

    await writer.write([{ late: 1 }], [originAt(2)]);
    await writer.prepare?.();
    expect(await reader.hgetall(`${name}:1`)).toEqual({ late: '1' }); // a new value replaces all fields
  });

  it('replaces whatever was there, and leaves no time to live that it was not told of', async () => {
    const name = fresh();
    await reader.set(`${name}:text`, 'was here', 'PX', 60_000);
    await reader.hset(`${name}:same`, { state: 'old', other: 'old' });
    await reader.hset(`${name}:fewer`, { state: 'old', other: 'old', more: 'old' });
    for (const key of ['same', 'fewer']) await reader.pexpire(`${name}:${key}`, 60_000);
    const sink = redis.upsertSink<{ state: string; other: string }>({
      prefix: `${name}:`,
    }) as Sink<never> as Sink<unknown>;
    const task = { topology: name, partition: 0 };
    const writer = await sinks.sink.open(sink, { step: 'online', task, incarnation: 0 });
    const keys = ['text', 'same', 'fewer', 'new'];
    const after = { state: 'new', other: 'new' };
    const changes = keys.map((key) => ({ key, before: null, after }));
    const offsets = keys.map((_, offset) => originAt(offset));
    await writer.write(changes, offsets);
    await writer.prepare?.();
    for (const key of keys) {
      expect(await reader.hgetall(`${name}:${key}`)).toEqual(after);
      expect(await reader.pttl(`${name}:${key}`)).toBe(-1);
    }
    await writer.close();
  });

  it('never shows an older value while a replay runs, wherever it begins and however it is cut', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 59 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 0, max: 59 }), cuts, async (firstCuts, from, secondCuts) => {
        const name = fresh();
        const pieces = (start: number, end: number, at: readonly number[]) => {
          const edges = [start, ...at.filter((cut) => cut > start && cut < end).sort((a, b) => a - b), end];
          return edges.slice(1).map((edge, i) => range(edges[i] as number, edge));
        };
        const first = await open(name);
        for (const piece of pieces(0, 60, firstCuts)) await put(first, piece);
        const complete = await stored(name);
        const second = await open(name);
        for (const piece of pieces(from, 60, secondCuts)) {
          await put(second, piece);
          expect(await stored(name)).toEqual(complete);
        }
        await put(second, range(60, 75));
        expect(await stored(name)).toEqual(Object.fromEntries(range(65, 75).map((n) => [String(n % 10), n])));
      }),
      { numRuns: 40 },
    );
  });

  it('goes on after the last value of a record, when a record has several and the crash came between them', async () => {
    const name = fresh();
    const values = range(0, 6).map((n) => ({ key: n, n }));
    const one = values.map(() => originAt(4));
    const first = await open(name);
    await first.write(values.slice(0, 3), one.slice(0, 3));
    await first.prepare?.();
    const second = await open(name);
    await second.write(values, one);
    await second.prepare?.();
    expect(await stored(name)).toEqual({ 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 });
  });

  it('lets a newer incarnation begin anew, and refuses the older one from then on', async () => {
    const name = fresh();
    const old = await open(name, 0);
    await put(old, range(0, 100));
    const restored = await open(name, 1);
    await put(restored, range(0, 5));
    expect(await stored(name)).toMatchObject({ 0: 0, 4: 4, 5: 95 });
    await expect(put(old, range(100, 101))).rejects.toMatchObject({ code: 'fenced' });
    expect((await stored(name))['0']).toBe(0);
  });

  it('has a fence for each task and topic', async () => {
    const name = fresh();
    await put(await open(name, 0, 0), range(50, 60));
    await put(await open(name, 0, 1), range(0, 5)); // lower offsets, another partition
    expect(await stored(name)).toMatchObject({ 0: 0, 4: 4, 5: 55 });
    const writer = await open(name, 0, 0);
    await writer.write([{ key: 9, n: -1 }], [{ ...originAt(0), topic: 'other' }]);
    await writer.prepare?.();
    expect((await stored(name))['9']).toBe(-1);
  });

  it('loses and doubles nothing when the connection is cut while it writes', async () => {
    const name = fresh();
    const writer = await open(name);
    const admin = new Client(url());
    for (const client of [admin, reader]) client.on('error', () => undefined); // they are cut too, and come back
    let cutting = true;
    const cut = (async () => {
      while (cutting) {
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    for (let at = 0; at < 40_000; at += 500) {
      await writer.write(
        range(at, at + 500).map((n) => ({ key: n % 5_000, n })),
        range(at, at + 500).map((offset) => originAt(offset)),
      );
    }
    cutting = false;
    await cut;
    await writer.prepare?.();
    admin.disconnect();
    await writer.close();
    const values = await stored(name);
    expect(Object.keys(values).length).toBe(5_000);
    expect(Object.values(values).sort((a, b) => a - b)).toEqual(range(35_000, 40_000));
  });

  it('waits for a server that is still starting', async () => {
    const at = new URL(url());
    const inFront = createServer((socket) => socket.pipe(connect(Number(at.port), at.hostname)).pipe(socket));
    const [port] = await lastingPorts(1);
    const opening = ready({ url: `redis://127.0.0.1:${port}` });
    await sleep(300);
    inFront.listen(port, '127.0.0.1');
    await opening;
    inFront.close();
  });

  it('names a server that does not answer, without the password', async () => {
    const error = await ready({ url: 'redis://user:secret@127.0.0.1:1', attemptsMax: 3 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'sink', where: 'redis://127.0.0.1:1', hint: expect.stringContaining('stack') });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain('secret');
  });

  it('tells a refused password from a server that is gone', async () => {
    const at = new URL(url());
    const error = await ready({ url: `redis://nobody:wrong@${at.host}` }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'sink', hint: expect.stringContaining('user and password') });
  });
});
