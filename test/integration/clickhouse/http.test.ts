import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { afterAll, describe, expect, it } from 'vitest';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { hostileSuite } from '../../connectors/clickhouse/hostile-suite.js';
import { querySuite } from '../../connectors/clickhouse/query-suite.js';
import { clickHouseSuite } from '../../connectors/clickhouse/suite.js';
import { tablesSuite } from '../../connectors/clickhouse/tables-suite.js';
import { upsertsSuite } from '../../connectors/clickhouse/upserts-suite.js';
import { valuesSuite } from '../../connectors/clickhouse/values-suite.js';
import { address } from '../address.js';

const url = () => address('MILLRACE_CLICKHOUSE');

describe('ClickHouse over HTTP', () => {
  clickHouseSuite(() => ({ url: url() }));
  upsertsSuite(() => ({ url: url() }));
  querySuite(() => ({ url: url() }));
  tablesSuite(() => ({ url: url() }));
  valuesSuite(() => ({ url: url() }));
  hostileSuite(() => ({ url: url() }));

  it('takes compressed inserts', async () => {
    const db = await openClickHouse({ url: url(), compress: true });
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await db.close();
  });

  it('names a server that does not answer, without the password, after its tries', async () => {
    const db = await openClickHouse({ url: 'http://user:secret@127.0.0.1:1', attemptsMax: 2 });
    const error = await db.query('SELECT 1').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'sink', where: 'http://127.0.0.1:1', hint: expect.stringContaining('stack') });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toContain('secret');
    await db.close();
  });
});

describe('the host of the local stack', () => {
  const client = createClient({ url: url(), compression: { request: true, response: true } });
  afterAll(() => client.close());
  const rows = async <T>(query: string, more: object = {}) =>
    (await client.query({ query, format: 'JSONEachRow', ...more })).json<T>();
  const table = `host_${Date.now().toString(36)}_${process.pid}`;

  it('answers a ping', async () => {
    expect(await (await askClickHouse(url(), '/ping', { method: 'GET' })).text()).toBe('Ok.\n');
    expect(await client.ping()).toEqual({ success: true });
  });

  it('takes the statement from the URL or the body, and formats as asked', async () => {
    const post = async (path: string, body?: string) =>
      (await askClickHouse(url(), path, { body: body ?? null })).text();
    expect(await post('/', 'SELECT 1, 2')).toBe('1\t2\n');
    expect(await post('/?query=SELECT%201,%202%20FORMAT%20CSV')).toBe('1,2\n');
    expect(await post('/?default_format=JSONCompactEachRow', 'SELECT 1, 2')).toBe('[1, 2]\n');
  });

  it('keeps settings and parameters to their own request', async () => {
    const setting = "SELECT value FROM system.settings WHERE name = 'max_block_size'";
    const [before] = await rows<{ value: string }>(setting);
    const asked = Array.from({ length: 24 }, (_, i) => String(1_000 + i));
    const found = await Promise.all(
      asked.map(
        async (max_block_size) =>
          (await rows<{ value: string }>(setting, { clickhouse_settings: { max_block_size } }))[0],
      ),
    );
    expect(found).toEqual(asked.map((value) => ({ value })));
    for (let i = 0; i < 16; i++) expect(await rows(setting)).toEqual([before]);
    await Promise.all(asked.map((n) => rows('SELECT {n:UInt32} AS n', { query_params: { n } })));
    for (let i = 0; i < 16; i++) await expect(rows('SELECT {n:UInt32} AS n')).rejects.toMatchObject({ code: '456' });
  });

  it('inserts bodies of tens of megabytes, many at the same time', async () => {
    await client.command({ query: `CREATE TABLE ${table} (n UInt32, text String) ENGINE = MergeTree ORDER BY n` });
    const text = 'x'.repeat(200);
    const insert = (part: number) =>
      client.insert({
        table,
        format: 'JSONEachRow',
        values: Array.from({ length: 25_000 }, (_, i) => ({ n: part * 25_000 + i, text: `${text}${i}` })),
      });
    await Promise.all(Array.from({ length: 8 }, (_, part) => insert(part)));
    expect(await rows(`SELECT count() AS all, uniqExact(n) AS different FROM ${table}`)).toEqual([
      { all: 200_000, different: 200_000 },
    ]);
  });

  it('unpacks a body of gzip', async () => {
    const body = gzipSync('{"n":1000000,"text":"packed"}\n');
    const query = encodeURIComponent(`INSERT INTO ${table} FORMAT JSONEachRow`);
    const response = await askClickHouse(url(), `/?query=${query}`, {
      body,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(response.status).toBe(200);
    expect(await rows(`SELECT text FROM ${table} WHERE n = 1000000`)).toEqual([{ text: 'packed' }]);
  });

  it('answers errors with the number of the exception, in the header and to the client', async () => {
    const response = await askClickHouse(url(), '/', { body: 'SELECT * FROM nowhere' });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('60');
    expect(await response.text()).toMatch(/^Code: 60\. DB::Exception: .*nowhere/);
    await expect(rows('SELEC 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' });
    await expect(rows('SELECT 1', { clickhouse_settings: { no_such_setting: 1 } })).rejects.toMatchObject({
      code: '115',
    });
  });
});
