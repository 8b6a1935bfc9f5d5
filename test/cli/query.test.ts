import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import { userFolder } from './millrace.js';

const { folder, remove } = userFolder({ 'secret.txt': 'of the machine\n' });
const secret = join(folder, 'secret.txt');

async function millrace(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}
const query = (...args: string[]) => millrace('query', '--data', join(folder, 'data'), ...args);

afterAll(remove);

describe('millrace query', () => {
  beforeAll(async () => {
    for (const sql of ['CREATE TABLE seen (id Int32) ENGINE = MergeTree ORDER BY id', 'INSERT INTO seen VALUES (1)'])
      expect(await query('--write', sql)).toEqual({ code: 0, out: 'done\n', err: '' });
  });

  it('reads tables', async () => {
    expect(await query('SELECT id FROM seen')).toEqual({ code: 0, out: 'id\n--\n 1\n', err: '' });
    expect(JSON.parse((await query('--json', 'WITH 2 AS x SELECT x')).out)).toEqual({ rows: [{ x: 2 }] });
    expect((await query('SHOW TABLES')).out).toContain('seen');
  });

  it('rounds nothing', async () => {
    const sql = `SELECT toUInt64('9007199254740993') AS id, toDecimal128('1234567890123456789.12', 2) AS sum,
      toUInt8(7) AS small, 0.1 + 0.2 AS float, 'a "1" 9007199254740993' AS text, toFloat64('nan') AS none, 1/0 AS all`;
    const { id, sum, ...exact } = JSON.parse((await query('--json', sql)).out).rows[0];
    expect({ id, sum }).toEqual({ id: '9007199254740993', sum: '1234567890123456789.12' });
    expect(exact).toEqual({
      ...{ small: 7, float: 0.1 + 0.2, text: 'a "1" 9007199254740993', none: 'nan', all: 'inf' },
    });
    expect((await query(sql)).out).toMatch(/9007199254740993 +1234567890123456789\.12 +7 /);
    const ids = JSON.parse((await query('--write', '--json', 'SELECT toInt64(-9007199254740993) AS id')).out);
    expect(ids).toEqual({ rows: [{ id: '-9007199254740993' }] });
  });

  it.each([
    `SELECT * FROM file('${secret}', 'LineAsString')`,
    `SELECT file('${secret}')`,
    `SELECT FILE /* ( */ ('${secret}')`,
    `SELECT \`file\`('${secret}')`,
    `SELECT "\\x66ile"('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM \`${secret}\``,
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM executable('x.sh', 'TSV', 'a String')",
    `SELECT 1 INTO OUTFILE '${secret}' TRUNCATE`,
    `INSERT INTO FUNCTION file('${secret}', 'TSV', 'a Int8') SELECT 1`,
    'INSERT INTO seen VALUES (2)',
    'ALTER TABLE seen DELETE WHERE 1',
    'DROP TABLE seen',
    'SELECT 1 SETTINGS readonly = 0',
  ])('refuses without --write: %s', async (sql) => {
    const { code, out, err } = await query(sql);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/only read tables|readonly/i);
    expect(err).toContain('--write');
    expect(readFileSync(secret, 'utf8')).toBe('of the machine\n');
    expect((await query('SELECT id FROM seen')).out).toBe('id\n--\n 1\n');
  });

  it('does more with --write', async () => {
    expect((await query('--write', `SELECT * FROM file('${secret}', 'LineAsString')`)).out).toContain('of the machine');
  });

  it('shows control characters of data and does not send them to the terminal', async () => {
    const { out } = await query("SELECT '\u001b]0;owned\u0007\u009b2J\nroot' AS text");
    expect(out.split('\n')[2]).toBe('\\u001b]0;owned\\u0007\\u009b2J\\nroot');
    const json = await query('--json', "SELECT '\u009b2J' AS text");
    expect(json.out).not.toContain('\u009b');
    expect(JSON.parse(json.out)).toEqual({ rows: [{ text: '\u009b2J' }] });
  });
});
