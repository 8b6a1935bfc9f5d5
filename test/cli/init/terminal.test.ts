import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { starterFiles } from '../../../src/cli/starter/index.js';
import { repository } from '../../import-graph.js';
import { userFolder } from '../millrace.js';

const run = promisify(execFile);
const ENTER = '\r';
const DOWN = '\u001b[B';
const CTRL_C = '\u0003';

const { folder, remove } = userFolder({
  'data/sold.csv': 'id,on,euro\na,1/2/2026,1.5\nb,3/4/2026,2\n',
  'data/orders.csv': 'id,at,amount,paid\no1,2026-01-01T10:00:00Z,12.5,true\no2,2026-01-01T11:00:00Z,7,false\n',
});

/** Runs `millrace` in a terminal and types keys, each once a text has come. */
async function typed(args: readonly string[], keys: readonly (readonly [waitFor: string, type: string])[]) {
  const tsx = join(repository, 'node_modules/tsx/dist/esm/index.mjs');
  const main = join(repository, 'src/cli/main.ts');
  const command = [process.execPath, '-C', 'millrace-source', '--import', tsx, main, ...args];
  const script = join(repository, 'test/cli/init/terminal.py');
  const { stdout } = await run('python3', [script, JSON.stringify({ command, keys })], { cwd: folder });
  return JSON.parse(stdout) as { readonly code: number; readonly left: unknown[]; readonly seen: string };
}

describe('millrace init by hand', () => {
  afterAll(remove);

  it('gives the starter to who only says Enter', async () => {
    const { code, left } = await typed(
      ['init', 'starter'],
      [
        ['events come from', ENTER],
        ['is to be done', ENTER],
        ['results go', ENTER],
      ],
    );
    expect({ code, left }).toEqual({ code: 0, left: [] });
    for (const [name, text] of starterFiles()) expect(readFileSync(join(folder, 'starter', name), 'utf8')).toBe(text);
  }, 60_000);

  it('looks at the file that is named, and offers its fields', async () => {
    const { code, left, seen } = await typed(
      ['init', 'orders', '--to', 'clickhouse'],
      [
        ['events come from', DOWN + DOWN + ENTER],
        ['Which files', `data/orders.csv${ENTER}`],
        ['keyed by', ENTER],
        ['when they happened', ENTER],
        ['is to be done', ENTER],
        ['to be predicted', ENTER],
      ],
    );
    expect({ code, left }).toEqual({ code: 0, left: [] });
    expect(seen).toContain('npx millrace run orders.ts --until-end');
    const topology = readFileSync(join(folder, 'orders/orders.ts'), 'utf8');
    expect(topology).toContain("path: '../data/orders.csv'");
    expect(topology).toContain('value: (order) => order.paid');
    expect(topology).toContain("table: 'orders_scored'");
  }, 60_000);

  it('asks what is first in dates, also where the rows tell', async () => {
    const { code, left } = await typed(
      ['init', 'sold', '--from', 'data/sold.csv', '--do', 'count', '--to', 'kafka'],
      [
        ['on has dates such as 1/2/2026', DOWN + ENTER],
        ['keyed by', ENTER],
        ['when they happened', ENTER],
      ],
    );
    expect({ code, left }).toEqual({ code: 0, left: [] });
    expect(readFileSync(join(folder, 'sold/schemas/sold.v1.ts'), 'utf8')).toContain("dates: 'mdy'");
  }, 60_000);

  it('leaves nothing behind where it is broken off', async () => {
    const { code } = await typed(
      ['init', 'broken-off'],
      [
        ['events come from', ENTER],
        ['is to be done', CTRL_C],
      ],
    );
    expect(code).toBe(130);
    expect(readdirSync(folder)).not.toContain('broken-off');
  }, 60_000);
});
