import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, openClickHouse } from '../../../connectors/clickhouse/open.js';
import { redis } from '../../../connectors/redis/index.js';
import { openRedis, type Redis } from '../../../connectors/redis/open.js';
import type { Lookup, LookupAnswer, LookupDriver } from '../../../src/core/index.js';
import { address } from '../address.js';

// What real servers answer, for good keys, bad keys and keys of the wrong kind.

const name = `lookups_${Date.now().toString(36)}_${process.pid}`;
let server: Redis;
let tables: ClickHouse;
let client: Client;

beforeAll(async () => {
  server = openRedis({ url: address('MILLRACE_REDIS') });
  tables = await openClickHouse({ url: address('MILLRACE_CLICKHOUSE') });
  client = new Client(address('MILLRACE_REDIS'));
});
afterAll(async () => {
  await server?.remove(name);
  await tables?.command(`DROP TABLE IF EXISTS ${name}`);
  await tables?.close();
  await server?.close();
  client?.disconnect();
});

async function ask(driver: LookupDriver, lookup: Lookup<unknown>, keys: readonly string[]) {
  const reader = await driver.open(lookup, 'step');
  await reader.ping();
  return reader.get(keys, new AbortController().signal);
}
const found = (value: unknown): LookupAnswer => ({ kind: 'found', value });

describe('Redis', () => {
  const key = (n: number | string) => `${name}:${n}`;

  it('has hashes and strings, or nothing, or something else', async () => {
    await client.hset(key(1), { tier: 'gold', since: '2019' });
    await client.hset(key('ü €'), { tier: '' });
    await client.set(key('text'), '7.5');
    await client.lpush(key('list'), 'a');
    const keys = [key(1), key(2), key('ü €'), key('text'), key('list')];
    expect(await ask(server.lookup, redis.hashLookup(), keys)).toEqual([
      found({ tier: 'gold', since: '2019' }),
      { kind: 'missing' },
      found({ tier: '' }),
      { kind: 'refused', detail: expect.stringContaining('WRONGTYPE') },
      { kind: 'refused', detail: expect.stringContaining('WRONGTYPE') },
    ]);
    expect(await ask(server.lookup, redis.stringLookup({ decode: Number }), keys)).toEqual([
      { kind: 'missing' },
      { kind: 'missing' },
      { kind: 'missing' },
      found(7.5),
      { kind: 'missing' },
    ]);
    const strict = redis.hashLookup({
      decode: ({ since }) => {
        if (since === undefined) throw new Error('no year');
        return Number(since);
      },
    });
    expect(await ask(server.lookup, strict, [key(1), key('ü €')])).toEqual([
      found(2019),
      { kind: 'refused', detail: 'the value cannot be decoded: no year' },
    ]);
  });

  it('answers a thousand keys in one go', async () => {
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    const writing = client.pipeline();
    for (const n of numbers) writing.hset(key(`n${n}`), { n: String(n) });
    await writing.exec();
    const answers = await ask(
      server.lookup,
      redis.hashLookup({ decode: (fields) => Number(fields.n) }),
      numbers.map((n) => key(`n${n}`)),
    );
    expect(answers).toEqual(numbers.map(found));
  });

  it('that is gone makes a question fail, and one that comes back answers', async () => {
    const { hostname, port } = new URL(address('MILLRACE_REDIS'));
    const links = new Set<ReturnType<typeof connect>>();
    const proxy = createServer((inside) => {
      const outside = connect(Number(port), hostname);
      for (const link of [inside, outside]) {
        links.add(link);
        link.on('error', () => undefined).on('close', () => links.delete(link));
      }
      inside.pipe(outside).pipe(inside);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const through = openRedis({ url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    try {
      await client.hset(key('cut'), { a: '1' });
      const reader = await through.lookup.open(redis.hashLookup(), 'step');
      expect(await reader.get([key('cut')], new AbortController().signal)).toEqual([found({ a: '1' })]);
      const { port: here } = proxy.address() as AddressInfo;
      proxy.close();
      for (const link of links) link.destroy();
      await once(proxy, 'close');
      const asked = reader.get([key('cut')], new AbortController().signal);
      expect(await asked).toEqual([
        { kind: 'failed', detail: expect.stringMatching(/ECONNREFUSED|connection to Redis is lost/) },
      ]);
      proxy.listen(here, '127.0.0.1');
      await expect
        .poll(() => reader.get([key('cut')], new AbortController().signal).catch(() => []), { timeout: 5_000 })
        .toEqual([found({ a: '1' })]);
    } finally {
      await through.close();
      proxy.close();
    }
  });
});

describe('ClickHouse', () => {
  beforeAll(async () => {
    await tables.command(`
      CREATE TABLE ${name} (id UInt64, name String, code UUID, at DateTime64(3)) ENGINE = MergeTree ORDER BY id AS
      SELECT number AS id, concat('n', toString(number)) AS name, toUUID(concat('00000000-0000-0000-0000-', leftPad(toString(number), 12, '0'))) AS code,
        toDateTime64(number, 3, 'UTC') AS at FROM numbers(5000)`);
    await tables.command(`INSERT INTO ${name} VALUES (18446744073709551615, 'last', generateUUIDv4(), 0)`);
  });
  const byId = () =>
    clickhouse.tableLookup<{ name: string }>({ table: name, key: 'id', keyType: 'UInt64', columns: ['name'] });

  it('has rows of some keys, exact up to the last of 64 bits, and refuses what is no number', async () => {
    const keys = ['7', '18446744073709551615', '18446744073709551614', '007', 'seven', '-1', '99999999999999999999999'];
    const answers = await ask(tables.lookup, byId(), keys);
    expect(answers).toMatchObject([
      found({ id: 7, name: 'n7' }),
      found({ name: 'last' }),
      { kind: 'missing' },
      found({ name: 'n7' }),
      { kind: 'refused', detail: 'no UInt64' },
      { kind: 'refused' },
      { kind: 'refused' },
    ]);
  });

  it('answers two thousand keys in one statement', async () => {
    const keys = Array.from({ length: 2_000 }, (_, n) => String(n * 3));
    const lookup = clickhouse.tableLookup({
      table: name,
      key: 'id',
      keyType: 'UInt64',
      columns: ['name'],
      decode: (row: { name: string }) => row.name,
    });
    expect(await ask(tables.lookup, lookup, keys)).toEqual(
      keys.map((key) => (Number(key) < 5_000 ? found(`n${key}`) : { kind: 'missing' })),
    );
  });

  it('takes text as text, whatever stands in it', async () => {
    await tables.command(`INSERT INTO ${name} VALUES (90001, 'a\\'b\\\\c\\n]d', generateUUIDv4(), 0)`);
    const lookup = clickhouse.tableLookup<{ id: number }>({ table: name, key: 'name', columns: ['id'] });
    const nasty = ["a'b\\c\n]d", "') OR 1 = 1 --", '', 'n1\t', "'n1'"];
    expect(await ask(tables.lookup, lookup, nasty)).toEqual([
      found({ id: 90_001, name: nasty[0] }),
      ...nasty.slice(1).map(() => ({ kind: 'missing' })),
    ]);
  });

  it('finds the key that is no UUID among others', async () => {
    const lookup = clickhouse.tableLookup<{ name: string }>({
      table: name,
      key: 'code',
      keyType: 'UUID',
      columns: ['name'],
    });
    const keys = [1, 2, 3].map((n) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`);
    const answers = await ask(tables.lookup, lookup, [keys[0] as string, 'no uuid', ...keys.slice(1)]);
    expect(answers).toMatchObject([
      found({ name: 'n1' }),
      { kind: 'refused' },
      found({ name: 'n2' }),
      found({ name: 'n3' }),
    ]);
  });

  it('runs a statement of your own', async () => {
    const lookup = clickhouse.tableLookup({
      query: `SELECT id, count() AS times FROM ${name} WHERE id IN {keys:Array(UInt64)} GROUP BY id;`,
      key: 'id',
      keyType: 'UInt64',
      decode: ({ times }: { times: number }) => times,
    });
    expect(await ask(tables.lookup, lookup, ['1', '9999999'])).toEqual([found(1), { kind: 'missing' }]);
  });

  it('stops the run over a statement that never works', async () => {
    const wrong = clickhouse.tableLookup({ table: name, key: 'id', keyType: 'UInt64', columns: ['nothing'] });
    await expect(ask(tables.lookup, wrong, ['1'])).rejects.toMatchObject({ code: 'lookup', permanent: true });
    const missing = clickhouse.tableLookup({ table: `${name}_none`, key: 'id', columns: ['name'] });
    await expect(ask(tables.lookup, missing, ['1'])).rejects.toMatchObject({ code: 'lookup', permanent: true });
  });

  it('that is not there may be there at the next try', async () => {
    const nobody = await openClickHouse({ url: 'http://127.0.0.1:9' });
    const reader = await nobody.lookup.open(byId(), 'step');
    const asked = reader.get(['1'], new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ code: 'lookup', permanent: false });
    await expect(reader.ping()).rejects.toThrow();
    await nobody.close();
  });
});
