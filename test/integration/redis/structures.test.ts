import { once } from 'node:events';
import fc from 'fast-check';
import { Redis as Client } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import { type Sink, type SinkDriver, type SinkWriter, seconds } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { type SinkWorld, sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { address } from '../address.js';
import { kinds } from './kinds.js';
import { ownRedis, put, range } from './world.js';

const { server, client, fresh, open } = ownRedis('s');

/** The driver with a topology of its own: fences have no end. */
const ofItsOwn = (driver: SinkDriver, topology: string): SinkDriver => ({
  ...driver,
  open: (sink, context) => driver.open(sink, { ...context, task: { ...context.task, topology } }),
});

describe.each(kinds)('$kind', ({ sink, visible }) => {
  const world = async (): Promise<SinkWorld> => {
    const prefix = fresh();
    return {
      driver: ofItsOwn(server.sink, prefix),
      sink: sink(prefix),
      openLedger: memoryLedgers(),
      value: (n) => ({ n }),
      visible: () => visible(client, prefix),
      close: async () => undefined,
    };
  };
  for (const { name, run } of sinkContract('idempotent', world)) it(name, run);

  it('has everything once, wherever a process dies, a replay begins, and connections are cut', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 79 }), { maxLength: 6 });
    const at = fc.nat({ max: 79 });
    await fc.assert(
      fc.asyncProperty(cuts, at, at, cuts, fc.boolean(), async (firstCuts, died, from, secondCuts, cut) => {
        const name = fresh();
        const write = async (writer: SinkWriter, start: number, end: number, at: readonly number[]) => {
          const edges = [start, ...at.filter((each) => each > start && each < end).sort((a, b) => a - b), end];
          for (let i = 1; i < edges.length; i++) {
            const numbers = range(edges[i - 1] as number, edges[i] as number);
            const written = writer.write(
              numbers.map((n) => ({ n })),
              numbers.map((n) => originAt(n)),
            );
            if (cut) await cutOthers();
            await written;
          }
          await writer.prepare?.();
        };
        await write(await open(sink(name), name), 0, died, firstCuts);
        await write(await open(sink(name), name), Math.min(from, died), 80, secondCuts);
        expect([...(await visible(client, name))].sort((a, b) => a - b)).toEqual(range(0, 80));
        expect(await client.pttl(`millrace:fence:${name}:out:0`)).toBe(-1);
      }),
      { numRuns: 6 },
    );
  });

  it('refuses an older incarnation, and takes nothing of it', async () => {
    const name = fresh();
    const old = await open(sink(name), name, 0);
    await put(old, [{ n: 0 }]);
    await put(await open(sink(name), name, 1), [{ n: 1 }], 1);
    await expect(put(old, [{ n: 2 }], 2)).rejects.toMatchObject({ code: 'fenced' });
    expect([...(await visible(client, name))].sort()).toEqual([0, 1]);
  });
});

/** Breaks the connection of every client but this one. */
const cutOthers = () => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

describe('redis.counterSink', () => {
  it('adds whole numbers and fractions, to keys and fields, and keeps them for a while', async () => {
    const name = fresh();
    const values = [{ by: 5 }, { by: -2 }, { by: 0 }];
    await put(
      await open(redis.counterSink<{ by: number }>({ key: name, by: (v) => v.by, ttl: seconds(90) }), name),
      values,
    );
    expect(await client.get(name)).toBe('3');
    expect(await client.pttl(name)).toBeGreaterThan(80_000);
    const other = fresh();
    const halves = redis.counterSink<{ by: number }>({
      key: other,
      field: 'sum',
      by: (v) => v.by / 2,
      fractions: true,
    });
    await put(await open(halves, other), values);
    expect(await client.hgetall(other)).toEqual({ sum: '1.5' });
  });

  it('tells of a key of another kind, and has added once what came before it when that is mended', async () => {
    const name = fresh();
    const counter = redis.counterSink<{ key: string }>({ key: (v) => `${name}:${v.key}` });
    const values = ['a', 'a', 'odd', 'a'].map((key) => ({ key }));
    await client.lpush(`${name}:odd`, 'something');
    await expect(put(await open(counter, name), values)).rejects.toMatchObject({
      code: 'sink',
      permanent: true,
      hint: expect.stringContaining('another kind'),
    });
    expect(await client.get(`${name}:a`)).toBe('2');
    await client.del(`${name}:odd`);
    await put(await open(counter, name), values);
    expect(await client.mget(`${name}:a`, `${name}:odd`)).toEqual(['3', '1']);
  });
});

describe('redis.sortedSetSink', () => {
  const scored = (name: string, keep?: 'highest' | 'lowest') =>
    redis.sortedSetSink<{ id: string; score: number | null }>({
      key: name,
      member: (v) => v.id,
      score: (v) => v.score,
      sizeMax: 2,
      ...(keep ? { keep } : {}),
    });
  const values = [
    { id: 'a', score: 5 },
    { id: 'b', score: 7 },
    { id: 'c', score: 6 },
    { id: 'b', score: 1 },
    { id: 'd', score: 0.25 },
  ];

  it('keeps the best, whatever calls they come in', async () => {
    for (const [keep, expected] of [
      ['highest', ['b', '1', 'c', '6']],
      ['lowest', ['d', '0.25', 'b', '1']],
    ] as const) {
      const [together, apart] = [fresh(), fresh()];
      await put(await open(scored(together, keep), together), values);
      const writer = await open(scored(apart, keep), apart);
      for (const [i, value] of values.entries()) await put(writer, [value], i);
      expect(await client.zrange(together, '0', '-1', 'WITHSCORES')).toEqual(expected);
      expect(await client.zrange(apart, '0', '-1', 'WITHSCORES')).toEqual(expected);
    }
  });

  it('takes out a member that has no score any more', async () => {
    const name = fresh();
    await put(await open(scored(name), name), [...values.slice(0, 2), { id: 'b', score: null }]);
    expect(await client.zrange(name, '0', '-1')).toEqual(['a']);
  });
});

describe('redis.setSink', () => {
  it('takes members out', async () => {
    const name = fresh();
    const blocked = redis.setSink<{ id: string; is: boolean }>({ key: name, member: (v) => v.id, isIn: (v) => v.is });
    const values = [
      { id: 'a', is: true },
      { id: 'b', is: true },
      { id: 'a', is: false },
    ];
    await put(await open(blocked, name), values);
    expect(await client.smembers(name)).toEqual(['b']);
  });
});

describe('redis.stringSink', () => {
  it('keeps texts, bytes and JSON, takes away what is null, and has a time to live where one is given', async () => {
    const name = fresh();
    type Written = string | Uint8Array | null;
    const write = async (value: Written, from: number, ttl = {}) => {
      const sink = redis.stringSink<{ value: Written }>({ key: () => name, value: (v) => v.value, ...ttl });
      await put(await open(sink, name), [{ value }], from);
    };
    await write('ü', 0, { ttl: seconds(90) });
    expect(await client.get(name)).toBe('ü');
    expect(await client.pttl(name)).toBeGreaterThan(80_000);
    await write(Uint8Array.of(0, 255, 10), 1);
    expect(await client.getBuffer(name)).toEqual(Buffer.from([0, 255, 10]));
    expect(await client.pttl(name)).toBe(-1);
    await write(null, 2);
    expect(await client.exists(name)).toBe(0);
    for (const [i, text] of ['\u0000"\\\\ud800\u2028\u{1f600}', '', '7'].entries()) {
      await write(text, 10 + i);
      expect(await client.get(name)).toBe(Buffer.from(text).toString());
    }
    await put(await open(redis.stringSink({ key: () => name }), name), [{ a: [1, null] }], 20);
    expect(await client.get(name)).toBe('{"a":[1,null]}');
  });
});

describe('redis.streamSink', () => {
  it('keeps the newest entries, of the streams that values name', async () => {
    const name = fresh();
    const sink = redis.streamSink<{ n: number }>({
      stream: (v) => `${name}:${v.n % 2}`,
      entriesMax: 3,
      exact: true,
      fields: ({ n }) => ({ n, twice: { n: 2 * n } }),
    });
    await put(
      await open(sink, name),
      range(0, 10).map((n) => ({ n })),
    );
    const entries = await client.xrange(`${name}:1`, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(
      [5, 7, 9].map((n) => ['n', String(n), 'twice', `{"n":${2 * n}}`]),
    );
  });
});

describe('redis.publishSink', () => {
  const world = async (): Promise<SinkWorld> => {
    const channel = fresh();
    const heard: number[] = [];
    const listener = new Client(address('MILLRACE_REDIS'));
    await listener.subscribe(channel);
    listener.on('message', (_, message) => heard.push(JSON.parse(message).n));
    return {
      driver: server.publishSink,
      sink: redis.publishSink<{ n: number }>({ channel }) as Sink<unknown>,
      openLedger: memoryLedgers(),
      value: (n) => ({ n }),
      async visible() {
        await listener.ping(); // behind what was published before
        return heard;
      },
      close: async () => listener.disconnect(),
    };
  };
  for (const { name, run } of sinkContract('append', world)) it(name, run);

  it('publishes texts and bytes in order', async () => {
    const name = fresh();
    const listener = new Client(address('MILLRACE_REDIS'));
    await listener.psubscribe(`${name}:*`);
    const heard: [string, Buffer][] = [];
    listener.on('pmessageBuffer', (_, channel, message) => heard.push([String(channel), message]));
    const sink = redis.publishSink<{ n: number }>({
      channel: (v) => `${name}:${v.n}`,
      message: (v) => (v.n === 0 ? 'ü' : Uint8Array.of(v.n, 255)),
    });
    const task = { topology: name, partition: 0 };
    const writer = await server.publishSink.open(sink as Sink<unknown>, { step: 'out', task, incarnation: 0 });
    await put(writer, [{ n: 0 }, { n: 1 }, { n: 2 }]);
    if (heard.length < 3) await once(listener, 'pmessageBuffer');
    await listener.ping();
    expect(heard).toEqual([
      [`${name}:0`, Buffer.from('ü')],
      [`${name}:1`, Buffer.from([1, 255])],
      [`${name}:2`, Buffer.from([2, 255])],
    ]);
    listener.disconnect();
  });
});

it('a server that does not answer is told of where somebody looks', async () => {
  const nobody = openRedis({ url: 'redis://:secret@127.0.0.1:1' });
  const sink = redis.counterSink<object>({ key: 'k' }) as Sink<unknown>;
  const [mismatch] = (await nobody.sink.mismatches?.(sink)) ?? [];
  expect(mismatch).toMatchObject({
    what: 'redis.counterSink',
    setting: 'the server at redis://127.0.0.1:1',
    refused: true,
  });
  expect(JSON.stringify(mismatch)).not.toContain('secret');
  expect(await server.sink.mismatches?.(sink)).toEqual([]);
  await nobody.close();
});

describe('redis.jsonSink', () => {
  it('says before anything is written that the server has none', async () => {
    const sink = redis.jsonSink<{ n: number }>({ key: (v) => `j:${v.n}` }) as Sink<unknown>;
    const context = { topology: 'any', step: 'documents', partitions: 1 };
    expect(await server.sink.mismatches?.(sink)).toMatchObject([{ what: 'redis.jsonSink', refused: true }]);
    await expect(server.sink.setUp?.(sink, context)).rejects.toMatchObject({
      code: 'config',
      where: 'documents',
      hint: expect.stringContaining('Redis 8'),
    });
  });
});
