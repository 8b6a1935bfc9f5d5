import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashFields } from '../../../connectors/redis/hash-fields.js';
import { redis } from '../../../connectors/redis/index.js';
import { minutes, type Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { ownRedis, put as write } from './world.js';

const { server, client, fresh, open } = ownRedis('v');

async function put<T>(sink: Sink<T>, values: readonly T[]): Promise<void> {
  const writer = await open(sink, fresh());
  for (const value of values) expect(writer.unrepresentable?.(value, originAt(0))).toBeUndefined();
  await write(writer, values);
}

const unrepresentable = async <T>(sink: Sink<T>, value: unknown) =>
  (await open(sink, fresh())).unrepresentable?.(value, originAt(0));

/** Everything that a text can be in UTF-8: JSON's escapes, texts that look like numbers or commands. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => Buffer.from(String.fromCharCode(...codes)).toString()),
  fc.constantFrom('\\ud800', '-0', '1e21', 'null', '9223372036854775808', '\u0000', '\u2028', '\r\n'),
);
const name = fc.oneof(
  text.filter((each) => each !== ''),
  fc.constantFrom('__proto__', 'constructor', 'length', '7'),
);
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 1e-7, 1e21, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2 ** 53, Infinity, -Infinity),
);

describe('what stands in Redis is what plain commands would have written', () => {
  const check = <T>(values: fc.Arbitrary<T>, compare: (value: T, own: string, plain: string) => Promise<void>) =>
    fc.assert(
      fc.asyncProperty(values, (value) => compare(value, fresh(), fresh())),
      { numRuns: 60 },
    );

  it('as a hash and as an entry', () =>
    check(fc.array(fc.tuple(name, text), { minLength: 1 }), async (pairs, own, plain) => {
      const value = Object.fromEntries(pairs);
      await client.hset(plain, ...Object.entries(value).flat());
      await put(redis.hashSink<object>({ key: () => own, ttl: minutes(1) }), [value]);
      const all = async (key: string) => {
        const [keys, values] = await Promise.all([client.hkeys(key), client.hvals(key)]);
        return keys.map((each, i) => JSON.stringify([each, values[i]])).sort();
      };
      expect(await all(own)).toEqual(await all(plain));
      await client.del(own);
      await put(redis.streamSink<object>({ stream: own, entriesMax: 10 }), [value]);
      const [[, fields] = []] = await client.xrangeBuffer(own, '-', '+');
      expect(fields).toEqual(
        Object.entries(value)
          .flat()
          .map((each) => Buffer.from(each)),
      );
    }));

  it('as a text, as bytes, as a member with a score', () =>
    check(fc.tuple(text, fc.uint8Array(), name, number), async ([written, bytes, member, score], own) => {
      await put(redis.stringSink<string>({ key: () => own, value: (v) => v }), [written]);
      expect(await client.getBuffer(own)).toEqual(Buffer.from(written));
      await put(redis.stringSink<Uint8Array>({ key: () => own, value: (v) => v }), [Uint8Array.of(1), bytes]);
      expect(await client.getBuffer(own)).toEqual(Buffer.from(bytes));
      await client.del(own);
      await put(redis.sortedSetSink<string>({ key: own, member: (v) => v, score: () => score }), [member]);
      const [found, points] = await client.zrangeBuffer(own, '0', '-1', 'WITHSCORES');
      expect(found).toEqual(Buffer.from(member));
      const read = String(points).replace('inf', 'Infinity');
      expect(Number(read)).toBe(score === 0 ? 0 : score);
    }));

  it('as a sum, up to what 64 bits hold', () =>
    check(fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 30 }), async (amounts, own) => {
      await client.set(own, '4611686018427387905');
      await put(redis.counterSink<number>({ key: own, by: (v) => v }), amounts);
      expect(await client.get(own)).toBe(
        String(amounts.reduce((sum, each) => sum + BigInt(each), 4611686018427387905n)),
      );
    }));

  it('as a sum of fractions', () =>
    check(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), async (by, own, plain) => {
      await client.incrbyfloat(plain, String(by));
      await put(redis.counterSink<number>({ key: own, by: (v) => v, fractions: true }), [by]);
      expect(await client.get(own)).toBe(await client.get(plain));
    }));

  it('of any length, width and depth', async () => {
    const own = fresh();
    const wide = Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`f${i}`, i]));
    const hash = redis.hashSink<object>({ key: () => own, ttl: minutes(1) });
    await put(hash, [wide]);
    expect(await client.hlen(own)).toBe(20_001);
    await put(hash, [{ ...Object.fromEntries(Object.entries(wide).slice(0, 9_000)), f0: 'other' }]);
    expect([await client.hlen(own), await client.hget(own, 'f0')]).toEqual([9_000, 'other']);
    let deep: unknown = 1;
    for (let i = 0; i < 3_000; i++) deep = [deep];
    await put(hash, [{ deep, long: 'ü'.repeat(3_000_000) }]);
    expect(await client.hget(own, 'deep')).toBe(JSON.stringify(deep));
    expect(await client.hstrlen(own, 'long')).toBe(6_000_000);
    const stream = redis.streamSink<object>({ stream: fresh(), entriesMax: 10 });
    expect(await unrepresentable(stream, wide)).toContain('at most');
    await put(stream, [Object.fromEntries(Object.entries(wide).slice(0, 3_500))]);
  });
});

describe('what Redis can never take', () => {
  it('is told of with its step and key, and not tried for ever', async () => {
    const own = fresh();
    await client.set(`${own}:full`, '9223372036854775807');
    await client.set(`${own}:text`, 'no number');
    await client.hset(`${own}:hash`, { sum: '1e308', n: 'x' });
    const refused = async (sink: Sink<number>, key: string) => {
      const message = new RegExp(`^step out cannot write ${sink.kind}, key ${own}:${key}: `);
      await expect(put(sink, [1])).rejects.toMatchObject({
        code: 'sink',
        permanent: true,
        message: expect.stringMatching(message),
      });
    };
    for (const key of ['full', 'text', 'hash']) await refused(redis.counterSink<number>({ key: `${own}:${key}` }), key);
    const fractions = { key: `${own}:text`, by: () => 1.5, fractions: true };
    await refused(redis.counterSink<number>(fractions), 'text');
    await refused(redis.counterSink<number>({ key: `${own}:hash`, field: 'n' }), 'hash');
    await refused(redis.setSink<number>({ key: `${own}:text`, member: String }), 'text');
    await refused(redis.streamSink<number>({ stream: `${own}:text`, entriesMax: 1, fields: (n) => ({ n }) }), 'text');
    await refused(redis.sortedSetSink<number>({ key: `${own}:text`, member: String, score: (n) => n }), 'text');
  });

  it('is a dead letter where the value shows it', async () => {
    const any = fresh();
    const none = () => undefined as unknown as string;
    const ttl = minutes(1);
    const shaped = { n: 1n, self: [1n] };
    for (const key of [none, () => '', () => 7 as unknown as string]) {
      expect(await unrepresentable(redis.hashSink({ key, ttl }), {})).toContain('`key` gives');
      expect(await unrepresentable(redis.stringSink({ key }), {})).toContain('`key` gives');
      expect(await unrepresentable(redis.jsonSink({ key }), {})).toContain('`key` gives');
      expect(await unrepresentable(redis.counterSink({ key }), {})).toContain('`key` gives');
      expect(await unrepresentable(redis.streamSink({ stream: key, entriesMax: 1 }), { n: 1 })).toContain(
        '`key` gives',
      );
      expect(await unrepresentable(redis.setSink({ key, member: () => 'm' }), {})).toContain('`key` gives');
      expect(await unrepresentable(redis.setSink({ key: any, member: key }), {})).toContain('`member` gives');
      expect(await unrepresentable(redis.sortedSetSink({ key, member: () => 'm', score: () => 1 }), {})).toContain(
        '`key` gives',
      );
      expect(await unrepresentable(redis.sortedSetSink({ key: any, member: key, score: () => 1 }), {})).toContain(
        '`member` gives',
      );
      expect(await unrepresentable(redis.counterSink({ key: any, field: key }), {})).toContain('`field` gives');
    }
    const publish = async (sink: Sink<object>) =>
      (
        await server.publishSink.open(sink as Sink<unknown>, {
          step: 'out',
          task: { topology: any, partition: 0 },
          incarnation: 0,
        })
      ).unrepresentable?.({}, originAt(0));
    expect(await publish(redis.publishSink({ channel: none }))).toContain('`channel` gives');
    expect(await publish(redis.publishSink({ channel: any, message: none }))).toContain('`message` gives');
    expect(await publish(redis.publishSink({ channel: any }))).toBeUndefined();
    expect(await unrepresentable(redis.hashSink({ key: () => any, ttl }), shaped)).toContain('field self is no JSON');
    expect(await unrepresentable(redis.stringSink({ key: () => any }), shaped)).toContain('no JSON');
    expect(await unrepresentable(redis.jsonSink({ key: () => any }), shaped)).toContain('no JSON');
    expect(
      await unrepresentable(redis.sortedSetSink({ key: any, member: () => 'm', score: () => Number.NaN }), {}),
    ).toContain('NaN');
  });
});

interface Row {
  readonly n: number;
  readonly v: unknown;
}

/** By kind: its sink, how a field is read from a key, and what a value has become there. */
const hostileKinds: Readonly<
  Record<
    string,
    { sink(prefix: string): Sink<Row>; read(key: string): Promise<unknown>; stored(value: unknown): unknown }
  >
> = {
  'redis.hashSink': {
    sink: (prefix) => redis.hashSink<Row>({ key: ({ n }) => `${prefix}:${n}`, ttl: minutes(1) }),
    read: async (key) => (await client.hget(key, 'v')) ?? undefined,
    stored: (value) => hashFields({ value }).value,
  },
  'redis.stringSink': {
    sink: (prefix) => redis.stringSink<Row>({ key: ({ n }) => `${prefix}:${n}` }),
    read: async (key) => (JSON.parse((await client.get(key)) as string) as Row).v,
    stored: asJson,
  },
  'redis.streamSink': {
    sink: (prefix) => redis.streamSink<Row>({ stream: ({ n }) => `${prefix}:${n}`, entriesMax: 10 }),
    async read(key) {
      const [[, fields] = []] = await client.xrange(key, '-', '+');
      const at = fields?.indexOf('v') ?? -1;
      return at < 0 ? undefined : fields?.[at + 1];
    },
    stored: (value) => hashFields({ value }).value,
  },
  'redis.setSink': {
    sink: (prefix) => redis.setSink<Row>({ key: ({ n }) => `${prefix}:${n}`, member: ({ v }) => v as string }),
    read: async (key) => (await client.smembers(key))[0],
    stored: (value) => value,
  },
  'redis.sortedSetSink': {
    sink: (prefix) =>
      redis.sortedSetSink<Row>({
        key: ({ n }) => `${prefix}:${n}`,
        member: () => 'm',
        score: ({ v }) => (v ?? 0) as number,
      }),
    read: async (key) => Number(String(await client.zscore(key, 'm')).replace('inf', 'Infinity')),
    stored: (value) => ((value ?? 0) as number) + 0, // of zeros Redis has one
  },
  'redis.counterSink': {
    sink: (prefix) => redis.counterSink<Row>({ key: ({ n }) => `${prefix}:${n}`, by: ({ v }) => v as number }),
    read: async (key) => Number(await client.get(key)),
    stored: (value) => Number(value) || 0,
  },
};

describe.each(Object.entries(hostileKinds))('the list of hostile values: %s', (kind, { sink, read, stored }) => {
  const checks = hostileValuesContract(async () => {
    const prefix = fresh();
    return {
      driver: { ...server.sink, open: (made, context) => open(made, prefix, context.incarnation) },
      sink: sink(prefix) as Sink<unknown>,
      openLedger: memoryLedgers(),
      row: (n, v) => ({ n, v }),
      plain: kind === 'redis.sortedSetSink' || kind === 'redis.counterSink' ? 7 : 'plain',
      async read() {
        const keys = await client.keys(`${prefix}:*`);
        return new Map(
          await Promise.all(keys.map(async (key) => [Number(key.split(':')[1]), await read(key)] as const)),
        );
      },
      stored,
      close: async () => undefined,
    };
  });
  for (const { name: check, run } of checks) it(check, run);
});
