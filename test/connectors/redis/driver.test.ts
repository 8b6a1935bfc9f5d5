import { afterEach, describe, expect, it, vi } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis } from '../../../connectors/redis/open.js';
import type { Connection, Keyed } from '../../../connectors/redis/server/connection.js';
import { Server } from '../../../connectors/redis/server/server.js';
import { hours } from '../../../src/core/index.js';
import type { Lookup } from '../../../src/core/lookup.js';
import type { Sink } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';

afterEach(() => {
  vi.restoreAllMocks();
});

type Answer = (name: string, args: readonly unknown[], keyed: Keyed) => unknown;
interface Node {
  readonly info?: string | Error;
  readonly keys?: readonly string[];
  readonly ping?: Error;
}

/** A driver over a connection that answers commands like this, and the commands that it got. */
function opened(answer: Answer = () => null, { isCluster = false, nodes = [{}] as readonly Node[] } = {}) {
  const asked: (readonly unknown[])[] = [];
  const connection: Partial<Connection> = {
    isCluster,
    async send(commands) {
      return commands.map((keyed) => {
        const [name, ...args] = keyed.command;
        asked.push(keyed.command);
        return answer(name, args, keyed);
      });
    },
    masters: () =>
      nodes.map(({ info = '', keys = [], ping }) => ({
        async info() {
          if (info instanceof Error) throw info;
          return info;
        },
        async ping() {
          if (ping) throw ping;
        },
        time: async () => [Math.floor(Date.now() / 1_000), 0],
        // Two keys a step; a key that moves meanwhile comes twice.
        async scan(cursor: string, _match: string, pattern: string) {
          asked.push(['scan', cursor, pattern]);
          const from = Number(cursor);
          const next = from + 2 < keys.length ? `${from + 2}` : '0';
          return [next, keys.slice(Math.max(0, from - 1), from + 2)];
        },
      })) as never,
    quit: async () => undefined,
  };
  vi.spyOn(Server.prototype, 'connection').mockImplementation(async () => connection as Connection);
  return { driver: openRedis({ url: 'redis://127.0.0.1:1', attemptsMax: 2 }), asked };
}

const context = { step: 'online', task: { topology: 'job', partition: 0 }, incarnation: 0 };
const hash = redis.hashSink<{ id: number }>({ key: (v) => `k:${v.id}`, ttl: hours(1) }) as Sink<unknown>;
const counter = redis.counterSink({ key: () => 'n' }) as Sink<unknown>;
const lookupOf = (kind: string, decode?: (found: unknown) => unknown) =>
  ({ connector: 'redis', kind, settings: {}, options: { decode } }) as Lookup<unknown>;
const signal = new AbortController().signal;

describe('a lookup', () => {
  const get = async (kind: string, keys: readonly string[], answer: Answer, decode?: (found: unknown) => unknown) => {
    const { driver, asked } = opened(answer);
    const reader = await driver.lookup.open(lookupOf(kind, decode), 'step');
    return { answers: await reader.get(keys, signal), asked, reader };
  };

  it('of hashes finds their fields, and none where there is no hash', async () => {
    const { answers, asked, reader } = await get('redis.hashLookup', ['a', 'b'], (_, [key]) =>
      key === 'a' ? { x: '1' } : {},
    );
    expect(answers).toEqual([{ kind: 'found', value: { x: '1' } }, { kind: 'missing' }]);
    expect(asked).toEqual([
      ['hgetall', 'a'],
      ['hgetall', 'b'],
    ]);
    expect(reader.keysMax).toBe(1_000);
    await reader.ping();
    await reader.close();
  });

  it('of strings reads them all at once, and on a cluster one by one', async () => {
    const answer: Answer = (_, keys) => keys.map((key) => (key === 'b' ? null : key === 'c' ? '' : `of ${key}`));
    const expected = [{ kind: 'found', value: 'of a' }, { kind: 'missing' }, { kind: 'found', value: '' }];
    const one = await get('redis.stringLookup', ['a', 'b', 'c'], answer);
    expect([one.answers, one.asked]).toEqual([expected, [['mget', 'a', 'b', 'c']]]);
    const { driver, asked } = opened(answer, { isCluster: true });
    const reader = await driver.lookup.open(lookupOf('redis.stringLookup'), 'step');
    expect(await reader.get(['a', 'b', 'c'], signal)).toEqual(expected);
    expect(asked).toEqual([
      ['mget', 'a'],
      ['mget', 'b'],
      ['mget', 'c'],
    ]);
  });

  it('decodes what it finds; what it cannot decode is refused', async () => {
    const { answers } = await get(
      'redis.stringLookup',
      ['a', 'b'],
      () => ['{"n":1}', '{'],
      (text) => JSON.parse(String(text)),
    );
    expect(answers).toMatchObject([{ kind: 'found', value: { n: 1 } }, { kind: 'refused' }]);
  });

  it('tells keys that fail this time from those that fail always, and both from a login that is refused', async () => {
    const failing = (text: string) => get('redis.hashLookup', ['a'], () => new Error(text));
    expect((await failing('LOADING Redis is loading')).answers).toEqual([
      { kind: 'failed', detail: 'LOADING Redis is loading' },
    ]);
    expect((await failing('WRONGTYPE a list')).answers).toEqual([{ kind: 'refused', detail: 'WRONGTYPE a list' }]);
    expect((await failing('Reached the max retries per request limit')).answers).toEqual([
      { kind: 'failed', detail: 'the connection to Redis is lost' },
    ]);
    for (const text of ['NOAUTH login first', 'WRONGPASS no', 'NOPERM no permissions'])
      await expect(failing(text)).rejects.toMatchObject({
        code: 'lookup',
        permanent: true,
        where: 'redis://127.0.0.1:1',
      });
    const all = await get('redis.stringLookup', ['a', 'b'], () => new Error('BUSY a script runs'));
    expect(all.answers).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }]);
  });

  it('of a kind that Redis has not is refused', async () => {
    const { driver } = opened();
    await expect(driver.lookup.open(lookupOf('redis.other'), 'step')).rejects.toMatchObject({
      ...{ code: 'config', hint: 'it has: redis.hashLookup, redis.stringLookup' },
    });
  });
});

describe('the keys', () => {
  it('with a prefix are found on all nodes, each once, whatever characters it has', async () => {
    const { driver, asked } = opened(undefined, { nodes: [{ keys: ['a', 'b', 'c', 'd', 'e'] }, { keys: ['e', 'f'] }] });
    expect([...(await driver.keys('v*[1]?\\'))].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(asked).toEqual(['0', '2', '4', '0'].map((cursor) => ['scan', cursor, 'v\\*\\[1\\]\\?\\\\*']));
  });

  it('are read by their types, as data that can be compared', async () => {
    const contents: Record<string, readonly [type: string, answer: unknown]> = {
      text: ['string', Buffer.from('plain')],
      bytes: ['string', Buffer.from([0xff, 0xfe])],
      hash: ['hash', { b: '1' }],
      set: ['set', ['b', 'a']],
      ranking: ['zset', ['a', '1']],
      stream: ['stream', [['1-0', ['f', '1']]]],
      document: ['ReJSON-RL', '{"a":1}'],
      list: ['list', undefined],
      gone: ['none', undefined],
    };
    const { driver, asked } = opened((name, [key]) => contents[String(key)]?.[name === 'type' ? 0 : 1]);
    expect(await driver.contents(Object.keys(contents))).toEqual([
      ...[
        'plain',
        { base64: '//4=' },
        { b: '1' },
        ['a', 'b'],
        ['a', '1'],
        [['f', '1']],
        '{"a":1}',
        undefined,
        undefined,
      ],
    ]);
    expect(asked.slice(9)).toEqual([
      ['get', 'text'],
      ['get', 'bytes'],
      ['hgetall', 'hash'],
      ['smembers', 'set'],
      ['zrange', 'ranking', '0', '-1', 'WITHSCORES'],
      ['xrange', 'stream', '-', '+'],
      ['json.get', 'document'],
    ]);
    expect(await driver.hashes(['hash'])).toEqual([{ b: '1' }]);
  });

  it('with a prefix are removed, and counted', async () => {
    const keys = Array.from({ length: 1_001 }, (_, n) => `k${n}`);
    const { driver, asked } = opened(() => 1, { nodes: [{ keys }] });
    expect(await driver.remove('k')).toBe(1_001);
    expect(asked.filter(([name]) => name === 'unlink').map(([, key]) => key)).toEqual(keys);
  });

  it('of the fences of a topology are removed, with those of its sub-topologies and of no other', async () => {
    const own = ['millrace:fence:job:out:0', 'millrace:fence:{ab}:job:out:1', 'millrace:fence:job/by-key:out:0'];
    const others = ['millrace:fence:job2:out:0', 'millrace:fence:my:job:0', 'millrace:fence:{job}:other:out:0'];
    const { driver, asked } = opened(() => 1, { nodes: [{ keys: [...own, ...others] }] });
    await driver.removeFences('job');
    expect(asked.filter(([name]) => name === 'unlink').map(([, key]) => key)).toEqual(own);
    expect(asked[0]).toEqual(['scan', '0', 'millrace:fence:*job*']);
  });
});

describe('a sink', () => {
  const written = async (answer: Answer, sink = hash) => {
    const { driver, asked } = opened(answer);
    const writer = await driver.sink.open(sink, context);
    await writer.write([{ id: 1 }, { id: 2 }], [originAt(7), originAt(8)]);
    await writer.prepare?.();
    await writer.close();
    return asked.map(([name, script, count, ...keys]) => [
      name,
      String(script).length,
      count,
      ...keys.slice(0, Number(count)),
    ]);
  };
  const call = (name: string, length: number) => [name, length, 3, 'millrace:fence:job:online:0', 'k:1', 'k:2'];

  it('calls its script, and teaches it to a server that does not know it', async () => {
    expect(await written(() => 2)).toEqual([call('evalsha', 40)]);
    const learnt = await written((name) => (name === 'evalsha' ? new Error('NOSCRIPT no matching script') : 2));
    expect(learnt).toEqual([call('evalsha', 40), call('eval', expect.any(Number) as never)]);
  });

  it('says which key Redis refuses, and why', async () => {
    await expect(written(() => ['OOM command not allowed', 2])).rejects.toMatchObject({
      ...{
        code: 'sink',
        permanent: false,
        message: 'step online cannot write redis.hashSink, key k:2: OOM command not allowed',
      },
      hint: expect.stringContaining('maxmemory'),
    });
    await expect(written(() => ['WRONGTYPE', 1])).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining('key k:1'),
    });
  });

  it('is fenced by a newer incarnation', async () => {
    await expect(written(() => -1)).rejects.toMatchObject({ code: 'fenced' });
  });

  it('of a kind that Redis has not is refused', async () => {
    const { driver } = opened();
    await expect(driver.sink.open({ ...hash, kind: 'redis.other' }, context)).rejects.toMatchObject({
      ...{ code: 'config', where: 'online', message: 'Redis has no sink of kind redis.other' },
      hint: expect.stringContaining('redis.publishSink'),
    });
  });

  it('refuses fences of a topology that has no checkpoint, on each slot of a cluster', async () => {
    for (const isCluster of [false, true]) {
      const { driver, asked } = opened(() => 0, { isCluster });
      await driver.sink.refuseFences?.(hash, context);
      expect(asked).toHaveLength(isCluster ? 16_384 : 1);
      expect(new Set(asked.map(([, key]) => key)).size).toBe(asked.length);
    }
    const { driver } = opened(() => 1);
    await expect(driver.sink.refuseFences?.(hash, context)).rejects.toMatchObject({
      hint: expect.stringContaining("redis-cli --scan --pattern 'millrace:fence:*job:*' | xargs redis-cli unlink"),
    });
  });
});

describe('a server', () => {
  const evicting = 'maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n';
  const setUp = async (sink: Sink<unknown>, nodes: readonly Node[]) =>
    opened(undefined, { nodes }).driver.sink.setUp?.(sink, { topology: 'job', step: 'online', partitions: 1 });

  it('that may evict fences is refused to sinks that add up, on whatever node', async () => {
    await expect(setUp(counter, [{}, { info: evicting }])).rejects.toMatchObject({
      ...{ code: 'config', where: 'online', permanent: true },
      message: 'Redis at redis://127.0.0.1:1 may evict the fences of redis.counterSink',
      hint: expect.stringContaining('allkeys-lru'),
    });
    await setUp(hash, [{ info: evicting }]);
    await setUp(counter, [{ info: evicting.replace(':100', ':0') }]); // without a bound nothing is evicted
    await setUp(counter, [{ info: evicting.replace('allkeys', 'volatile') }]);
    await setUp(counter, [{ info: new Error('NOPERM this user has no permissions') }]);
    await setUp(counter, [{ info: new Error("ERR unknown command 'info'") }]);
    await expect(setUp(counter, [{ info: new Error('ERR broken') }])).rejects.toMatchObject({ code: 'sink' });
  });

  it('that is not ready is a mismatch, by what it lacks', async () => {
    const mismatches = async (sink: Sink<unknown>, nodes: readonly Node[]) =>
      opened(undefined, { nodes }).driver.sink.mismatches?.(sink);
    expect(await mismatches(counter, [{}])).toEqual([]);
    expect(await mismatches(counter, [{ info: evicting }])).toMatchObject([
      ...[
        { what: 'redis.counterSink', setting: 'the server at redis://127.0.0.1:1', declared: 'ready', refused: true },
      ],
    ]);
    const [down] = (await mismatches(hash, [{ ping: new Error('ECONNREFUSED') }])) ?? [];
    expect(down).toMatchObject({
      actual: 'not (cannot connect: ECONNREFUSED)',
      hint: expect.stringContaining('npm run stack'),
    });
    await expect(
      opened(undefined, { nodes: [{ ping: new Error('ECONNREFUSED') }] }).driver.sink.ping?.(),
    ).rejects.toThrow('ECONNREFUSED');
  });

  it('is examined: its version, its clock, and what it may lose', async () => {
    const info = 'redis_version:7.4.0\r\nmaxmemory:100\r\nmaxmemory_policy:volatile-lru\r\naof_enabled:0\r\n';
    const findings = async (text: string) =>
      (await opened(undefined, { nodes: [{ info: text }] }).driver.examine()).map(
        ({ state, said }) => `${state}: ${said}`,
      );
    expect(await findings(info)).toEqual([
      'fine: Redis 7.4.0',
      expect.stringMatching(/clock/),
      'warning: it may evict keys when its memory is full (maxmemory-policy volatile-lru)',
      'warning: it keeps no append-only file',
    ]);
    expect(await findings('maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1')).toHaveLength(2);
    expect((await findings('maxmemory:5\r\nmaxmemory_policy:noeviction'))[0]).toBe(
      'fine: Redis of a version that it does not tell',
    );
  });
});

it('messages are published in order, on their channels', async () => {
  const { driver, asked } = opened(() => 1);
  const sink = redis.publishSink({ channel: (v: { id: number }) => `c${v.id}` }) as Sink<unknown>;
  const writer = await driver.publishSink.open(sink, context);
  expect(writer.unrepresentable?.({ id: 1 }, originAt(1))).toBeUndefined();
  await writer.write([{ id: 1 }, { id: 2 }], [originAt(1), originAt(2)]);
  await writer.prepare?.();
  await writer.close();
  expect(asked).toEqual([
    ['publish', 'c1', '{"id":1}'],
    ['publish', 'c2', '{"id":2}'],
  ]);
});
