import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, openClickHouse } from '../../../connectors/clickhouse/open.js';
import { hours, type Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';

// Rows that move to other storage, on an engine with a second disk. Whoever opens the engine of a process first gives it its settings.

const folder = mkdtempSync(join(tmpdir(), 'millrace-storage-'));
const config = join(folder, 'config.xml');
const path = join(folder, 'db');
const HOUR_MS = 3_600_000;

writeFileSync(
  config,
  `<clickhouse><storage_configuration>
    <disks><cold><type>local</type><path>${folder}/cold/</path></cold></disks>
    <policies>
      <tiered><volumes><hot><disk>default</disk></hot><archive><disk>cold</disk></archive></volumes><move_factor>0</move_factor></tiered>
      <wider><volumes><default><disk>default</disk></default><archive><disk>cold</disk></archive></volumes></wider>
    </policies>
  </storage_configuration></clickhouse>`,
);

let first: Session;
let db: ClickHouse;
beforeAll(async () => {
  first = new Session(path, { connectionArgs: [`--config-file=${config}`] });
  db = await openClickHouse({ path });
});
afterAll(async () => {
  await db?.close();
  first?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Row {
  readonly n: number;
  readonly at: number;
}
type Options = Partial<Pick<Parameters<typeof clickhouse.tableSink<Row>>[0], 'ttl' | 'storagePolicy' | 'partitionBy'>>;

const sinkTo = (table: string, options: Options): Sink<unknown> =>
  clickhouse.tableSink<Row>({ table, columns: { n: 'UInt32', at: 'DateTime64(3)' }, ...options }) as Sink<unknown>;
const setUp = async (sink: Sink<unknown>) => db.tableSink.setUp?.(sink, { topology: 't', step: 'out', partitions: 1 });

/** Each in an insert of its own, and so in a part. */
async function writeEach(sink: Sink<unknown>, rows: readonly Row[]): Promise<void> {
  const writer = await db.tableSink.open(sink, { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0 });
  for (const [i, row] of rows.entries()) {
    await writer.write([row], [originAt(i)]);
    await writer.prepare?.();
  }
  await writer.close();
}

const disksOf = async (table: string) =>
  (
    await db.query<{ disk: string; n: number }>(
      `SELECT disk_name AS disk, toUInt32(sum(rows)) AS n FROM system.parts
       WHERE active AND database = currentDatabase() AND table = '${table}_rows' GROUP BY disk ORDER BY disk`,
    )
  ).map(({ disk, n }) => [disk, n]);

describe('storage of clickhouse.tableSink', () => {
  it.each([
    ['a volume', 'moved_to_volume', { volume: 'archive' }],
    ['a disk', 'moved_to_disk', { disk: 'cold' }],
  ] as const)('moves rows to %s when their time has come, and shows them all the same', async (_what, table, to) => {
    const ttl = { since: 'at', after: hours(1), to };
    // Parts of old rows and of new ones are not merged.
    const sink = sinkTo(table, { storagePolicy: 'tiered', ttl, partitionBy: 'n % 2' });
    await setUp(sink);
    await setUp(sink); // nothing of it is taken for a difference
    expect(await db.tableSink.mismatches?.(sink)).toEqual([]);
    const now = Date.now();
    const rows = [0, 1, 2, 3].map((n) => ({ n, at: n % 2 === 0 ? now : now - 2 * HOUR_MS }));
    await writeEach(sink, rows);
    await expect
      .poll(() => disksOf(table), { timeout: 20_000 })
      .toEqual([
        ['cold', 2],
        ['default', 2],
      ]);
    expect(await db.query(`SELECT n FROM ${table} ORDER BY n`)).toEqual(rows.map(({ n }) => ({ n })));
    await writeEach(sink, rows); // as a replay does
    expect(await db.query(`SELECT n FROM ${table} ORDER BY n`)).toEqual(rows.map(({ n }) => ({ n })));
  });

  it('refuses a table of another policy or time to live, and takes it once that is mended as the hint says', async () => {
    await setUp(sinkTo('mended', {}));
    const sink = sinkTo('mended', {
      storagePolicy: 'wider',
      ttl: { since: 'at', after: hours(1), to: { volume: 'archive' } },
    });
    const refusal = await Promise.resolve(setUp(sink)).then(
      () => undefined,
      (error: { code: string; hint: string }) => error,
    );
    expect(refusal).toMatchObject({ code: 'config' });
    expect((await db.tableSink.mismatches?.(sink))?.map(({ setting, actual }) => [setting, actual])).toEqual([
      ['storage policy', 'default'],
      ['ttl', ''],
    ]);
    const statements = [...(refusal?.hint ?? '').matchAll(/`(ALTER TABLE `mended_rows` [^`]*)`/g)].map(
      ([, sql]) => sql,
    );
    expect(statements).toHaveLength(2);
    for (const statement of statements) await db.command(statement as string);
    await setUp(sink);
    expect(await db.tableSink.mismatches?.(sink)).toEqual([]);
  });

  it('says so where the server has no such policy, or the policy no such volume', async () => {
    const table = 'nowhere';
    const to = { volume: 'nowhere' };
    await expect(setUp(sinkTo(table, { storagePolicy: 'nowhere' }))).rejects.toMatchObject({
      permanent: true,
      hint: expect.stringContaining('system.storage_policies'),
    });
    await expect(
      setUp(sinkTo(table, { storagePolicy: 'tiered', ttl: { since: 'at', after: hours(1), to } })),
    ).rejects.toMatchObject({ permanent: true });
  });
});
