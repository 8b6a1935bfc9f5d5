import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../../src/verify/report.js';
import { millrace, userFolder } from '../../cli/millrace.js';
import { clicks } from '../../verify/topologies.js';
import { address, clusterEnv } from '../address.js';
import { PostgresServer } from '../postgres/server.js';
import { BUCKET, keysOf, plain } from '../s3/store.js';

// Sinks beside topics, hashes and ClickHouse: verified in folders, prefixes, keys and tables of the verification's own.

const name = `outs-${randomUUID().slice(0, 8)}`;
const RECORDS = 1_500;

const topologies = `
import { csv, dedupe, hours, json, map, millis, ndjson, topology } from 'millrace';
import { file } from 'millrace/connectors/file';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';
import { postgres } from 'millrace/connectors/postgres';
import { redis } from 'millrace/connectors/redis';
import { s3 } from 'millrace/connectors/s3';

interface Click { readonly n: number; readonly key: string; readonly size: number; readonly good: boolean }
const dead = { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) };
const source = () => kafka.source<Click>({ topic: '${name}.clicks', schema: json<Click>(), eventTime: (c) => 1_700_000_000_000 + c.n * 5_000 });

export const right = topology('${name}-right', dead, (t) => {
  const out = t.source('clicks', source())
    .via('once', dedupe({ key: (c) => String(c.n), retention: hours(24), keysMax: 100_000 }))
    .via('plain', map(({ n, key, size }) => ({ n, key, size })));
  out.to('lines', file.sink({ folder: 'out/lines', schema: ndjson(), compression: 'gzip', by: 'hour', roll: { rows: 100, age: millis(300) } }));
  out.to('cells', file.sink({ folder: 'out/cells', schema: csv({ columns: { n: 'integer', key: 'text', size: 'integer' } }), header: true, roll: { rows: 150 } }));
  out.to('parquet', file.sink({ folder: 'out/parquet', columns: { n: 'integer', key: 'text', size: 'integer' }, roll: { age: millis(700) } }));
  out.to('bucket', s3.sink({ folder: '${BUCKET}/${name}/lines', schema: ndjson(), compression: 'zstd', roll: { rows: 400 } }));
  out.to('rows', postgres.tableSink({ table: 'scored', columns: { n: 'integer', key: 'text', size: 'double precision' } }));
  out.to('strict', postgres.tableSink({ table: 'public.a_table_whose_name_is_longer_than_a_trial_can_take', columns: { n: 'integer' }, exactlyOnce: true }));
  out.to('newest', postgres.tableSink({ table: 'newest', columns: { key: 'text', n: 'integer' }, key: ['key'] }));
  out.to('text', redis.stringSink({ key: (c) => '${name}:text:' + c.key, ttl: millis(1_000) }));
  out.to('members', redis.setSink({ key: '${name}:members', member: (c) => c.key, isIn: (c) => c.size > 30 }));
  out.to('ranking', redis.sortedSetSink({ key: (c) => '${name}:ranking:' + c.n % 3, member: (c) => c.key, score: (c) => c.size, sizeMax: 10 }));
  out.to('sums', redis.counterSink({ key: '${name}:sums', field: (c) => c.key, by: (c) => c.size }));
  out.to('total', redis.counterSink({ key: '${name}:total' }));
  out.to('entries', redis.streamSink({ stream: (c) => '${name}:entries:' + c.n % 2, entriesMax: 50 }));
  out.to('pager', http.webhookSink({ url: 'http://127.0.0.1:9/none', body: (c) => ({ alert: c.n }) }));
  out.to('live', redis.publishSink({ channel: (c) => 'live:' + c.key }));
});

export const dice = topology('${name}-dice', dead, (t) => {
  const out = t.source('clicks', source()).via('throw', map((c: Click) => ({ n: c.n, key: c.key, dice: Math.random() })));
  out.to('lines', file.sink({ folder: 'out/dice', schema: ndjson() }));
  out.to('parquet', file.sink({ folder: 'out/dice', columns: { n: 'integer', dice: 'number' } }));
  out.to('bucket', s3.sink({ folder: '${BUCKET}/${name}/dice', schema: ndjson() }));
  out.to('rows', postgres.tableSink({ table: 'dice', columns: { n: 'integer', dice: 'double precision' } }));
  out.to('text', redis.stringSink({ key: (c) => '${name}:text:' + c.n }));
  out.to('entries', redis.streamSink({ stream: '${name}:entries', entriesMax: 50 }));
  out.to('sums', redis.counterSink({ key: '${name}:sums', by: (c) => c.dice, fractions: true }));
  out.to('pager', http.webhookSink({ url: 'http://127.0.0.1:9/none' }));
});
`;

const user = userFolder({ 'outs.ts': topologies, 'temporary/none': '' });
/** Of these tests alone: others verify at the same time. */
const temporary = join(user.folder, 'temporary');
let postgres: PostgresServer;
const call = (args: readonly string[], input = '') =>
  millrace(args, {
    folder: user.folder,
    env: {
      TMPDIR: temporary,
      ...clusterEnv(),
      MILLRACE_S3: address('MILLRACE_S3'),
      MILLRACE_POSTGRES: postgres.url,
    },
    input,
  });
const produce = (profile: string) =>
  call(
    ['produce', `${name}.clicks`, '--key', 'key', '--partitions', '2', '--profile', profile],
    clicks(RECORDS)
      .map((click) => `${JSON.stringify(click)}\n`)
      .join(''),
  );

beforeAll(async () => {
  postgres = await PostgresServer.start();
  for (const profile of ['embedded', 'cluster']) {
    const { code, err } = await produce(profile);
    expect(code, err).toBe(0);
  }
});
afterAll(async () => {
  user.remove();
  await postgres?.stop();
});

/** Whatever is anywhere of a verification, or of the topology itself. */
async function left(): Promise<string[]> {
  const redis = new Redis(address('MILLRACE_REDIS'));
  const keys = [...(await redis.keys('*verify-*')), ...(await redis.keys(`${name}*`))];
  redis.disconnect();
  const tables = postgres.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'millrace_fences'",
  );
  const fences = postgres.query("SELECT to_regclass('millrace_fences') IS NOT NULL")[0]?.[0] === 't';
  const rows = fences ? postgres.query('SELECT topology FROM millrace_fences') : [];
  const listed = await (await plain('?list-type=2')).text();
  const objects = [...listed.matchAll(/<Key>([^<]*verify-[^<]*)</g)].map(([, key = '']) => key);
  objects.push(...(await keysOf(name)));
  const folders = readdirSync(temporary).filter((each) => each.startsWith('millrace-verify-'));
  return [...keys, ...tables.flat(), ...rows.flat(), ...objects, ...folders];
}

async function verify(profile: string, topology: string, ...args: string[]) {
  const all = ['verify', `outs.ts#${topology}`, '--json', '--profile', profile, ...args];
  const { code, out, err } = await call(all);
  expect(out, err).not.toBe('');
  return { code, report: JSON.parse(out) as VerifyReport };
}

describe.each([
  ['embedded', '1'],
  ['cluster', '2'],
])('on the %s profile', (profile, processes) => {
  it('kills change nothing in files, objects, tables and keys; nothing is left, and nothing sent', async () => {
    const before = await left();
    const args = ['--kills', '4', '--minutes', '0.25', '--processes', processes];
    const { code, report } = await verify(profile, 'right', ...args);
    const different = new Set(clicks(RECORDS).map(({ n }) => n)).size;
    const found = report.compared.map(({ what, how, entries, counts }) => [
      what,
      how,
      entries,
      Object.values(counts).reduce((sum, count) => sum + count, 0),
    ]);
    expect(found).toEqual([
      ['lines', 'in order', different, 0],
      ['cells', 'in order', different, 0],
      ['parquet', 'in order', different, 0],
      ['bucket', 'in order', different, 0],
      ['rows', 'in any order', different, 0],
      ['strict', 'in any order', different, 0],
      ['newest', 'in any order', 23, 0],
      ['text', 'by key', 23, 0],
      ['members', 'by key', 2, 0],
      ['ranking', 'by key', 6, 0],
      ['sums', 'by key', 2, 0],
      ['total', 'by key', 2, 0],
      ['entries', 'by key', 4, 0],
      ['pager', 'in order', different, 0],
      ['live', 'in order', different, 0],
      ['$dead-letters', 'in order', 0, 0],
      ['$state', 'cells', expect.any(Number), 0],
    ]);
    expect(report).toMatchObject({ right: true, kills: 4 });
    expect(report.notes).toEqual([
      'pager sends nothing (http.webhookSink): its output is written to a topic and compared there',
      'live sends nothing (redis.publishSink): its output is written to a topic and compared there',
    ]);
    expect(code).toBe(0);
    expect(await left()).toEqual(before);
    expect(existsSync(join(user.folder, 'out'))).toBe(false);
  });

  it('what differs is found in each of them', async () => {
    const before = await left();
    const { code, report } = await verify(profile, 'dice', '--kills', '1', '--minutes', '0.05');
    const counts = Object.fromEntries(report.compared.map(({ what, counts }) => [what, counts]));
    for (const what of ['lines', 'parquet', 'bucket', 'rows']) {
      expect(counts[what], what).toMatchObject({ lost: RECORDS, unexpected: RECORDS, duplicated: 0 });
    }
    expect(counts.text?.different).toBeGreaterThan(RECORDS / 2);
    expect(counts.entries).toMatchObject({ lost: 0, different: 2 });
    expect(counts.sums).toMatchObject({ lost: 0, different: 2 });
    expect(counts.pager).toMatchObject({ lost: 0, different: RECORDS });
    expect(JSON.parse(String(report.compared[0]?.samples[0]?.reference))).toMatchObject({ dice: expect.any(Number) });
    expect(code).toBe(1);
    expect(await left()).toEqual(before);
  });
});
