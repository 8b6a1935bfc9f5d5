import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import { askClickHouse } from '../../../stack/ask-clickhouse.js';
import { startStack, stopStack } from '../../../stack/stack.js';

// The host of the stack runs beside a browser: any page may try to reach it.

const folder = mkdtempSync(join(tmpdir(), 'millrace-access-'));
const secret = join(folder, 'secret.csv');
let url: string;

beforeAll(async () => {
  writeFileSync(secret, '7\n');
  url = (await startStack({ services: ['clickhouse'], ports: 0, dataDir: folder })).urls.clickhouse as string;
}, 90_000);
afterAll(async () => {
  await stopStack(folder);
  rmSync(folder, { recursive: true, force: true });
});

/** As a browser sends it: `fetch` does not let a Host be set. */
function ask(path: string, headers: Record<string, string>): Promise<{ status: number | undefined; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: 'POST', headers }, (answer) => {
      let body = '';
      answer.on('data', (part) => {
        body += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, body }));
    });
    sent.on('error', reject).end();
  });
}
const sql = async (body: string) => {
  const answer = await askClickHouse(url, '/', { body });
  return { status: answer.status, body: await answer.text() };
};

describe('the ClickHouse host of the stack', () => {
  it('asks for the token, which only its user can read', async () => {
    const { host } = new URL(url);
    expect(await ask('/?query=SELECT+1', { host })).toMatchObject({
      status: 403,
      body: expect.stringContaining('AUTHENTICATION_FAILED'),
    });
    expect(await ask('/?query=SELECT+1', { host, 'x-clickhouse-key': 'guessed' })).toMatchObject({ status: 403 });
    expect(await ask('/?query=SELECT+1', { host, 'x-clickhouse-key': new URL(url).password })).toEqual({
      status: 200,
      body: '1\n',
    });
    expect(statSync(join(folder, 'clickhouse', 'token')).mode & 0o777).toBe(0o600);
  });

  it('refuses a page elsewhere, also one that bears the token or asks under a name of its own', async () => {
    const { host, password } = new URL(url);
    const key = { 'x-clickhouse-key': password };
    const page = { host, origin: 'https://evil.example' };
    expect(await ask('/?query=SELECT+1', { ...page, ...key })).toMatchObject({ status: 403 });
    expect(await ask('/ping', page)).toMatchObject({ status: 403 });
    expect(await ask('/?query=SELECT+1', { host: 'evil.example', ...key })).toMatchObject({ status: 403 });
  });

  it.each([
    () => `SELECT * FROM file('${secret}')`,
    () => `SELECT file('${secret}')`,
    () => `SELECT \`file\` /**/ ('${secret}')`,
    () => `SELECT * FROM '${secret}'`,
    () => `SELECT * FROM \`${secret}\``,
    () => `SELECT 1 INTO OUTFILE '${secret}.out'`,
    () => `INSERT INTO FUNCTION file('${secret}.out') SELECT 1`,
    () => `INSERT INTO kept FROM INFILE '${secret}' FORMAT CSV`,
    () => `CREATE TABLE outside (n UInt8) ENGINE = File(CSV, '${secret}')`,
    () => "CREATE DATABASE outside ENGINE = Filesystem('/')",
    () =>
      `CREATE DICTIONARY outside (n UInt64) PRIMARY KEY n SOURCE(FILE(path '${secret}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)`,
    () => "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    () => "SELECT * FROM s3('http://127.0.0.1:1/abc/b')",
    () => "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    () => "SELECT * FROM executable('cat', 'TSV', 'a String')",
  ])('reaches no files and no addresses %#', async (statement) => {
    await sql('CREATE TABLE IF NOT EXISTS kept (n UInt8) ENGINE = MergeTree ORDER BY n');
    const { status, body } = await sql(statement());
    expect({ statement: statement(), status }).toEqual({ statement: statement(), status: 500 });
    expect(body).toMatch(/ACCESS_DENIED|UNSUPPORTED_METHOD/);
    expect(existsSync(`${secret}.out`)).toBe(false);
    expect((await sql('SELECT count() FROM kept')).body).toBe('0\n');
  });

  it('keeps requests that may only read from writing, and the others writing', async () => {
    const tables = await openClickHouse({ url });
    await tables.command('CREATE TABLE IF NOT EXISTS kept (n UInt8) ENGINE = MergeTree ORDER BY n');
    for (let again = 0; again < 12; again++) expect(await tables.queryReadOnly('SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await expect(tables.queryReadOnly('DROP TABLE kept')).rejects.toMatchObject({
      hint: expect.stringContaining('--write'),
    });
    await expect(tables.queryReadOnly('INSERT INTO kept SELECT 1')).rejects.toMatchObject({ code: 'sink' });
    for (let again = 0; again < 12; again++) await tables.command('INSERT INTO kept SELECT 1');
    expect(await tables.query('SELECT count() AS n FROM kept')).toEqual([{ n: 12 }]);
    await tables.close();
  });
});
