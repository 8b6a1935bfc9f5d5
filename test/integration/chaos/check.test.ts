import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import type { Scored } from '../../chaos/topology.js';
import { check } from '../../chaos/verdict.js';
import { address } from '../address.js';
import { broker, open } from '../kafka/world.js';

// The reader that judges chaos must find what is wrong: here it is, one thing after another.

const name = `check-${randomUUID().slice(0, 8)}`;
const table = name.replaceAll('-', '_');
const names = { clicks: `${name}.clicks`, scored: `${name}.scored`, dead: `${name}.dead`, windows: `${name}.windows` };
const stores = { hashes: name, table, onceTable: `${table}_once`, redis: '', clickhouse: '' };

/** Twelve clicks of three keys; the seventh is none. */
const scored: Scored[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11].map((n) => {
  const count = n > 6 && n % 3 === 0 ? Math.floor(n / 3) : Math.floor(n / 3) + 1;
  return { n, key: `k${n % 3}`, nth: count, count, probability: n / 7, model: 'm@1', forest: n / 12 };
});

/** A second in which there was one click. */
const windowOf = ({ n, count }: Scored) => ({ key: n % 13, startMs: n * 2_000, clicks: 1, n, counts: count });

let kafka: Kafka;
let redis: Redis;
const sql = async (body: string) => {
  const answer = await askClickHouse(address('MILLRACE_CLICKHOUSE'), '/', { body });
  if (!answer.ok) throw new Error(await answer.text());
};
const text = (value: unknown) => ({
  key: Buffer.from(`${(value as { key: string | number }).key}`),
  value: Buffer.from(JSON.stringify(value)),
  timestampMs: 0,
});
const poison = { key: Buffer.from('k0'), value: Buffer.from('poison 6'), timestampMs: 0 };

beforeAll(async () => {
  kafka = await open({ prefix: name });
  redis = new Redis(address('MILLRACE_REDIS'));
  const producer = kafka.producer();
  for (const topic of Object.values(names)) await producer.createTopic(topic, 1);
  const clicks = scored.map(({ n, key, nth }) => text({ n, key, nth, atMs: n * 2_000, size: 1 }));
  await producer.append(names.clicks, 0, [...clicks.slice(0, 6), poison, ...clicks.slice(6)]);
  await producer.append(names.scored, 0, scored.map(text));
  await producer.append(names.dead, 0, [poison]);
  await producer.append(names.windows, 0, scored.map(windowOf).map(text));
  for (const out of scored) {
    await redis.hset(`${name}:click:${out.n}`, out);
    await redis.hset(`${name}:newest:${out.key}`, out);
  }
  const columns = 'n UInt32, key String, nth UInt32, count UInt32, probability Float64, model String, forest Float64';
  const rows = scored.map((out) => JSON.stringify(out)).join('\n');
  for (const each of [table, `${table}_once`, `${table}_once_rows`]) {
    await sql(`CREATE TABLE ${each} (${columns}) ENGINE = MergeTree ORDER BY n`);
    await sql(`INSERT INTO ${each} FORMAT JSONEachRow ${rows}`);
  }
});
afterAll(async () => {
  for (const topic of Object.values(names)) await kafka.deleteTopic(topic);
  await kafka.close();
  const keys = await redis.keys(`${name}:*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
  for (const each of [table, `${table}_once`, `${table}_once_rows`]) await sql(`DROP TABLE ${each}`);
});

async function wrong(): Promise<Record<string, number>> {
  const urls = { redis: address('MILLRACE_REDIS'), clickhouse: address('MILLRACE_CLICKHOUSE') };
  const verdict = await check([broker()], { ...names, stores: { ...stores, ...urls } });
  expect(verdict.compared).toMatchObject({ records: 12 });
  return Object.fromEntries(Object.entries(verdict.wrong).filter(([, count]) => count > 0));
}

it('finds nothing wrong where nothing is', async () => {
  expect(await wrong()).toEqual({});
});

it('finds hashes that are lost, foreign, changed in one field, or not the newest', async () => {
  await redis.del(`${name}:click:3`);
  await redis.hset(`${name}:click:99`, scored[0] as Scored);
  await redis.hset(`${name}:click:4`, 'probability', String(4 / 7 + 2 ** -52));
  await redis.hset(`${name}:newest:k1`, scored[1] as Scored);
  await redis.hdel(`${name}:newest:k2`, 'model');
  expect(await wrong()).toEqual({ hashesLost: 1, hashesStrange: 1, hashesDiffer: 1, newestDiffer: 2 });
});

it('finds rows that are lost, doubled, foreign or changed, in a view and in what is stored', async () => {
  const insert = (into: string, out: Partial<Scored>) =>
    sql(`INSERT INTO ${into} FORMAT JSONEachRow ${JSON.stringify({ ...scored[2], ...out })}`);
  await insert(table, {});
  await insert(table, { n: 77 });
  await sql(`ALTER TABLE ${table}_once DELETE WHERE n = 5 SETTINGS mutations_sync = 1`);
  await sql(`ALTER TABLE ${table}_once UPDATE count = 9 WHERE n = 8 SETTINGS mutations_sync = 1`);
  await insert(`${table}_once_rows`, {});
  expect(await wrong()).toMatchObject({
    rowsDoubled: 1,
    rowsStrange: 1,
    onceRowsLost: 1,
    onceRowsDiffer: 1,
    onceStoredDoubled: 1,
  });
});

it('finds windows that are lost, doubled, of no click, or counted wrongly, and lets the last ones be open', async () => {
  const windows = scored.map(windowOf);
  await kafka.deleteTopic(names.windows);
  const producer = kafka.producer();
  await producer.createTopic(names.windows, 1);
  const strange = { ...windowOf(scored[1] as Scored), startMs: 2_500 };
  const written = [...windows.slice(1, -1), windows[2], strange, { ...windows[3], counts: 7 }];
  await producer.append(names.windows, 0, written.map(text));
  await producer.close();
  expect(await wrong()).toMatchObject({ windowsLost: 1, windowsStrange: 1, windowsDoubled: 2, windowsDiffer: 1 });
});

it('finds outputs and dead letters that are lost, doubled, miscounted or out of order', async () => {
  const producer = kafka.producer();
  await producer.append(names.scored, 0, [text(scored[10]), text({ ...scored[0], n: 500 })]);
  await producer.append(names.dead, 0, [poison]);
  await producer.close();
  expect(await wrong()).toMatchObject({ doubled: 1, strange: 1, outOfOrder: 1, deadLettersDiffer: 1 });
});
