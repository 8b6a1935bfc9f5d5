import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../../connectors/redis/open.js';
import type { OutgoingRecord } from '../../../src/core/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { startMillrace, userFolder } from '../../cli/millrace.js';
import { generator } from '../../random.js';
import { addresses, readTopic, sql, withRedis } from '../flights/world.js';

// Two tables and their join, written as corrections to Kafka, Redis and ClickHouse while processes are killed: in the end all
// three hold what a plain loop over the inputs holds.

const name = `ups-${randomUUID().slice(0, 8)}`;
const tableName = name.replaceAll('-', '_');
const PARTITIONS = 4;
const KEYS = 120;
const random = generator(20_261_126);

const user = userFolder({
  'both.ts': `
import { json, outerJoinTables, table, topology } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

interface Row { readonly n: number }
interface Both { readonly left: number | null; readonly right: number | null; readonly sum: number }
export const both = topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  const rows = (side: string) => t
    .source(side, kafka.tableSource({ topic: '${name}.' + side, schema: json<Row>() }))
    .via(side + '-rows', table({ keysMax: 10_000 }));
  const right = rows('right');
  const both = rows('left').via('both', { right }, outerJoinTables({
    combine: (a: Row | null, b: Row | null): Both => ({ left: a?.n ?? null, right: b?.n ?? null, sum: (a?.n ?? 0) + (b?.n ?? 0) }),
    keysMax: 10_000,
  }));
  both.to('topic', kafka.upsertSink({ topic: '${name}.both', schema: json<Both>() }));
  both.to('online', redis.upsertSink({ prefix: '${name}:' }));
  both.to('table', clickhouse.upsertSink({
    table: '${tableName}', key: 'id', columns: { left: 'Nullable(UInt32)', right: 'Nullable(UInt32)', sum: 'UInt32' }, orderBy: ['sum'],
  }));
});
`,
});

let profile: OpenProfile;
beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'cluster' }, env: addresses() }));
  const producer = profile.producer();
  for (const side of ['left', 'right']) await producer.createTopic(`${name}.${side}`, PARTITIONS);
  await producer.close();
});
afterAll(async () => {
  const server = openRedis({ url: addresses().MILLRACE_REDIS as string });
  await server.remove(`${name}:`);
  await server.close();
  await sql(`DROP VIEW IF EXISTS ${tableName}`);
  await sql(`DROP TABLE IF EXISTS ${tableName}_rows`);
  await profile.close();
  user.remove();
});

interface Both {
  readonly left: number | null;
  readonly right: number | null;
  readonly sum: number;
}
const held = { left: new Map<string, number>(), right: new Map<string, number>() };
let sent = 0;

/** New rows, revised ones, and deletions. */
async function send(count: number): Promise<void> {
  const producer = profile.producer();
  for (const side of ['left', 'right'] as const) {
    const records = Array.from({ length: count / 2 }, (): OutgoingRecord => {
      const n = sent++;
      const key = `key-${Math.floor(random() * KEYS)}`;
      const deleted = random() < 0.3;
      if (deleted) held[side].delete(key);
      else held[side].set(key, n);
      const value = deleted ? null : Buffer.from(JSON.stringify({ n }));
      return { key: Buffer.from(key), value, timestampMs: 1_700_000_000_000 + n };
    });
    await producer.send(`${name}.${side}`, records);
  }
  await producer.close();
}

function expected(): Record<string, Both> {
  const keys = [...new Set([...held.left.keys(), ...held.right.keys()])].sort();
  return Object.fromEntries(
    keys.map((key) => {
      const [left, right] = [held.left.get(key) ?? null, held.right.get(key) ?? null];
      return [key, { left, right, sum: (left ?? 0) + (right ?? 0) }];
    }),
  );
}

const sorted = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The newest record of each key, read through librdkafka. */
async function inTopic(): Promise<Record<string, Both>> {
  const newest = new Map<string, Both | null>();
  for (const { key, value } of await readTopic(`${name}.both`))
    newest.set(String(key), value === null ? null : (JSON.parse(String(value)) as Both));
  return sorted([...newest].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
}

const inRedis = (): Promise<Record<string, Both>> =>
  withRedis(async (redis) => {
    const keys = await redis.keys(`${name}:*`);
    const entries = await Promise.all(
      keys.map(async (key) => {
        const { left, right, sum } = await redis.hgetall(key);
        const numberOf = (text: string | undefined) => (text === undefined ? null : Number(text));
        const row: Both = { left: numberOf(left), right: numberOf(right), sum: Number(sum) };
        return [key.slice(name.length + 1), row] as const;
      }),
    );
    return sorted(entries);
  });

async function inClickHouse(): Promise<Record<string, Both>> {
  const rows = await sql<Both & { id: string }>(`SELECT id, left, right, sum FROM ${tableName}`);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  return sorted(rows.map(({ id, ...row }) => [id, row] as const));
}

const run = (...args: string[]) =>
  startMillrace(['run', 'both.ts', '--profile', 'cluster', ...args], { folder: user.folder, env: addresses() });

function workersOf(pid: number): number[] {
  try {
    const found = execFileSync('pgrep', ['-P', String(pid), '-f', '--', '--worker'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return []; // pgrep found none
  }
}

describe('corrections in Kafka, Redis and ClickHouse', () => {
  it('end in the state that they tell of, through kills of the processes that write them', async () => {
    const { process: parent, ended, output } = run('--processes', '2');
    const pid = parent.pid as number;
    await expect.poll(() => workersOf(pid).length, { timeout: 60_000 }).toBe(2);
    await send(600);
    await expect
      .poll(() => profile.endOffsets(`${name}.both`).catch(() => []), { timeout: 60_000 })
      .toSatisfy((ends: readonly number[]) => ends.some((end) => end > 0));
    let kills = 0;
    // On a slow machine a round may find all workers being restarted.
    for (let round = 0; round < 6 || (kills < 3 && round < 30); round++) {
      await send(200);
      await sleep(300 + random() * 1_200);
      const workers = workersOf(pid);
      const victim = workers[Math.floor(random() * workers.length)];
      if (victim === undefined) continue;
      process.kill(victim, 'SIGKILL');
      kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    expect(output()).toContain('is restarted');
    parent.kill('SIGINT');
    expect((await ended).code, output()).toBe(0);

    await send(200);
    const { code, out, err } = await run('--until-end', '--json').ended;
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ deadLetters: {} });
    const state = expected();
    expect(Object.keys(state).length).toBeGreaterThan(50);
    expect(await inTopic()).toEqual(state);
    expect(await inRedis()).toEqual(state);
    expect(await inClickHouse()).toEqual(state);
  });

  it('lie in a topic that is compacted', async () => {
    const records = await readTopic(`${name}.both`);
    expect(records.some(({ value }) => value === null)).toBe(true);
    const { Kafka, logLevel } = await import('kafkajs');
    const brokers = [addresses().MILLRACE_KAFKA as string];
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: `${name}.both`, configNames: ['cleanup.policy'] }],
    });
    await admin.disconnect();
    expect(resources[0]?.configEntries).toMatchObject([{ configName: 'cleanup.policy', configValue: 'compact' }]);
  });
});
