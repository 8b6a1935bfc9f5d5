import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { hostileSuite } from './hostile-suite.js';
import { querySuite } from './query-suite.js';
import { clickHouseSuite } from './suite.js';
import { tablesSuite } from './tables-suite.js';
import { upsertsSuite } from './upserts-suite.js';
import { valuesSuite } from './values-suite.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-chdb-'));
const path = join(folder, 'db');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('ClickHouse in this process', () => {
  clickHouseSuite(() => ({ path }));
  upsertsSuite(() => ({ path }));
  querySuite(() => ({ path }));
  tablesSuite(() => ({ path }));
  valuesSuite(() => ({ path }));
  hostileSuite(() => ({ path }));

  it('has the rows of an insert, and of a merge, on the disk before it says so', async () => {
    const db = await openClickHouse({ path });
    const sink = clickhouse.tableSink<{ n: number }>({ table: 'synced', columns: { n: 'UInt32' } }) as Sink<unknown>;
    const task = { topology: 't', partition: 0 };
    await db.tableSink.setUp?.(sink, { topology: 't', step: 'out', partitions: 1 });
    const writer = await db.tableSink.open(sink, { step: 'out', task, incarnation: 0 });
    const synced = async () => {
      const rows = await db.query<{ value: number }>("SELECT value FROM system.events WHERE event LIKE '%Sync'");
      return rows.reduce((sum, { value }) => sum + value, 0);
    };
    for (const n of [1, 2]) {
      const before = await synced();
      await writer.write([{ n }], [originAt(n)]);
      await writer.prepare?.();
      expect(await synced()).toBeGreaterThan(before);
    }
    await writer.close();
    const before = await synced();
    await db.command('OPTIMIZE TABLE synced_rows FINAL');
    expect(await synced()).toBeGreaterThan(before);
    await db.close();
  });

  it('does not let a long query hold up a short one', async () => {
    const db = await openClickHouse({ path });
    const order: string[] = [];
    const run = async (name: string, sql: string) => {
      await db.query(sql);
      order.push(name);
    };
    await Promise.all([run('long', 'SELECT sleep(1)'), run('short', 'SELECT 1')]);
    expect(order).toEqual(['short', 'long']);
    await db.close();
  });

  it('limits the memory of a statement', async () => {
    const db = await openClickHouse({ path });
    await expect(db.query('SELECT length(groupArray(number)) AS n FROM numbers(200000000)')).rejects.toMatchObject({
      message: expect.stringContaining('241'),
    });
    await db.close();
  });

  it('tells a second process that the folder is taken', async () => {
    const db = await openClickHouse({ path });
    await db.query('SELECT 1');
    const program = `
      import { openClickHouse } from ${JSON.stringify(new URL('../../../connectors/clickhouse/open.ts', import.meta.url))};
      openClickHouse({ path: ${JSON.stringify(path)} }).then((db) => db.query('SELECT 1')).then(() => process.exit(0), (e) => { console.log(e.code, e.hint); process.exit(3); });`;
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    expect(stdout).toMatch(/^config check that no other process has this folder open/);
    expect(status).toBe(3);
    await db.close();
  });
});
