import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VerifyReport } from '../../../src/verify/report.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { millrace, userFolder } from '../../cli/millrace.js';
import { clicks, topologiesFile } from '../../verify/topologies.js';
import { address, clusterEnv } from '../address.js';

const name = `shop-${randomUUID().slice(0, 8)}`;
const user = userFolder({ 'shop.ts': topologiesFile(name) });
const call = (args: readonly string[], input = '') =>
  millrace([...args, '--profile', 'cluster'], { folder: user.folder, env: clusterEnv(), input });

const RECORDS = 3_000;
const PARTITIONS = 4;

beforeAll(async () => {
  const lines = clicks(RECORDS).map((click) => `${JSON.stringify(click)}\n`);
  const { code, err } = await call(
    ['produce', `${name}.clicks`, '--key', 'key', '--partitions', String(PARTITIONS)],
    lines.join(''),
  );
  expect(code, err).toBe(0);
});
afterAll(() => user.remove());

/** Everything on the servers whose name begins as those of verifications do. */
async function artifacts(): Promise<string[]> {
  const admin = new Kafka({ brokers: [address('MILLRACE_KAFKA')], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = await admin.listTopics();
  const { groups } = await admin.listGroups();
  await admin.disconnect();
  const redis = new Redis(address('MILLRACE_REDIS'));
  const keys = await redis.keys('*verify-*');
  redis.disconnect();
  const tables = await askClickHouse(address('MILLRACE_CLICKHOUSE'), '/', {
    body: "SELECT name FROM system.tables WHERE name LIKE 'verify%' FORMAT TSV",
  });
  return [...topics, ...groups.map(({ groupId }) => groupId), ...keys, ...(await tables.text()).split('\n')].filter(
    (each) => /^(millrace[.:])?(fence:)?verify/.test(each),
  );
}

it('kills of processes that share the tasks change nothing in topics, hashes, tables and state; nothing is left', async () => {
  const before = await artifacts();
  const args = ['verify', 'shop.ts#right', '--json', '--kills', '4', '--minutes', '0.25', '--processes', '2'];
  const { code, out, err } = await call(args);
  expect(out, err).not.toBe('');
  const report = JSON.parse(out) as VerifyReport;
  expect(report).toMatchObject({
    profile: 'cluster',
    right: true,
    records: RECORDS,
    processes: 2,
    kills: 4,
    notes: [],
  });
  const different = new Set(clicks(RECORDS).map(({ n }) => n)).size;
  expect(Object.fromEntries(report.compared.map(({ what, entries }) => [what, entries]))).toMatchObject({
    scores: different,
    online: 23,
    history: different,
    strict: different,
    '$dead-letters': 0,
  });
  expect(code).toBe(0);
  expect(await artifacts()).toEqual(before);
  // Where the topology itself writes, nothing was written.
  const own = await call(['tail', `${name}.scores`]);
  expect(own.err).toContain(`${name}.scores`);
  expect(own.code).toBe(1);
});

it('windows, joins, tables and patterns come through kills: no result twice, lost or of another time', async () => {
  const args = ['verify', 'shop.ts#timed', '--json', '--kills', '4', '--minutes', '0.3', '--processes', '2'];
  const { code, out, err } = await call(args);
  expect(out, err).not.toBe('');
  const report = JSON.parse(out) as VerifyReport;
  expect(report).toMatchObject({
    profile: 'cluster',
    right: true,
    records: RECORDS,
    processes: 2,
    kills: 4,
    notes: [],
  });
  for (const { what, entries } of report.compared.filter(({ what }) => what !== '$dead-letters'))
    expect(entries, what).toBeGreaterThan(15);
  expect(code).toBe(0);
});

it('what differs is caught and shown, by the input record that it comes from', async () => {
  const { code, out, err } = await call(['verify', 'shop.ts#dice', '--json', '--kills', '1', '--minutes', '0.05']);
  expect(out, err).not.toBe('');
  const report = JSON.parse(out) as VerifyReport;
  expect(report.right).toBe(false);
  const [written] = report.compared;
  expect(written).toMatchObject({ what: 'out', entries: RECORDS, counts: { lost: 0, duplicated: 0, outOfOrder: 0 } });
  expect(written?.counts.different).toBe(RECORDS);
  expect(written?.samples[0]).toMatchObject({ record: expect.stringMatching(`^${name}.clicks/\\d/\\d+$`) });
  expect(code).toBe(1);
});
