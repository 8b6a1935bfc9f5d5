import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Change, Sink, SinkWriter } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { changesOf, foldOf, type Kept } from '../../changes.js';
import { memoryLedgers } from './memory-ledgers.js';

/** What a table of changes shows, asked of a server and of the engine in this process. */
export function upsertsSuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  const tableName = () => `upserts_${Date.now().toString(36)}_${process.pid}_${made++}`;

  beforeAll(async () => {
    db = await openClickHouse({ ...options(), batchRows: 7 });
  });
  afterAll(() => db?.close());

  const sinkTo = (table: string): Sink<Change<Kept>> =>
    clickhouse.upsertSink({ table, key: 'id', columns: { n: 'UInt32', group: 'UInt8' }, orderBy: ['group'] });

  async function open(table: string, incarnation = 0): Promise<SinkWriter> {
    const sink = sinkTo(table) as Sink<unknown>;
    const context = { topology: 'upserts', step: 'rows', partitions: 1 };
    await db.tableSink.setUp?.(sink, context);
    return db.tableSink.open(sink, { step: 'rows', task: { topology: 'upserts', partition: 0 }, incarnation });
  }

  /** Writes changes from a number on, an insert or more for each piece. */
  async function write(writer: SinkWriter, changes: readonly Change<Kept>[], from: number, pieces: readonly number[]) {
    const edges = [from, ...pieces.filter((cut) => cut > from).sort((a, b) => a - b), changes.length];
    for (let i = 1; i < edges.length; i++) {
      const numbers = Array.from({ length: changes.length }, (_, n) => n).slice(edges[i - 1], edges[i]);
      await writer.write(
        numbers.map((n) => changes[n]),
        numbers.map((n) => originAt(n)),
      );
      await writer.prepare?.();
    }
  }

  async function current(table: string): Promise<Record<string, Kept>> {
    const rows = await db.query<Kept & { id: string }>(`SELECT id, n, group FROM ${table} ORDER BY id`);
    const shown = Object.fromEntries(rows.map(({ id, n, group }) => [id, { n, group }]));
    expect(rows).toHaveLength(Object.keys(shown).length); // a row a key
    return shown;
  }

  describe('upserts keep the contract of sinks', () => {
    const world = async () => {
      const table = tableName();
      return {
        driver: db.tableSink,
        sink: clickhouse.upsertSink<{ n: number }>({ table, key: 'id', columns: { n: 'UInt32' } }) as Sink<unknown>,
        openLedger: memoryLedgers(),
        value: (n: number) => ({ key: `k${n}`, before: null, after: { n } }),
        visible: async () => (await db.query<{ n: number }>(`SELECT n FROM ${table}`)).map(({ n }) => n),
        close: async () => {},
      };
    };
    for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
  });

  it('shows no row of a key while what holds of it has no room there', async () => {
    const table = tableName();
    const writer = await open(table);
    const [first, unrepresentable, last] = [
      { n: 1, group: 1 },
      { n: -1, group: 2 },
      { n: 3, group: 3 },
    ];
    const changes = [
      { key: 'a', before: null, after: first },
      { key: 'a', before: first, after: unrepresentable },
      { key: 'a', before: unrepresentable, after: last },
      { key: 'b', before: null, after: first },
      { key: 'b', before: first, after: unrepresentable },
      { key: 'b', before: unrepresentable, after: null },
      { key: '\ud800', before: null, after: first },
    ];
    expect(changes.map((change) => writer.unrepresentable?.(change, originAt(0)) !== undefined)).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
    // As the runtime does: of what does not fit it stays that something else holds no longer.
    const taken = changes
      .slice(0, -1)
      .map((change) => (change.after === unrepresentable ? { ...change, after: null } : change));
    await write(writer, taken, 0, [2, 4]);
    expect(await current(table)).toEqual({ a: last });
  });

  it('shows what is held to be true now, through crashes and replays that are cut otherwise', async () => {
    const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        changesOf({ minLength: 1, maxLength: 40 }),
        fc.nat({ max: 39 }),
        fc.nat({ max: 39 }),
        cuts,
        cuts,
        async (changes, died, from, first, second) => {
          const table = tableName();
          await write(await open(table), changes.slice(0, died), 0, first);
          await write(await open(table), changes, Math.min(from, died, changes.length), second);
          expect(await current(table)).toEqual(foldOf(changes));
          await db.command(`OPTIMIZE TABLE ${table}_rows FINAL`);
          expect(await current(table)).toEqual(foldOf(changes));
          await db.command(`DROP TABLE ${table}_rows`);
          await db.command(`DROP VIEW ${table}`);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('lets the later incarnation win, whatever the earlier one had counted up to', async () => {
    const table = tableName();
    const early: Change<Kept>[] = [
      { key: 'a', before: null, after: { n: 1, group: 0 } },
      { key: 'b', before: null, after: { n: 2, group: 0 } },
      { key: 'a', before: { n: 1, group: 0 }, after: { n: 3, group: 0 } },
    ];
    await write(await open(table), early, 0, []);
    const restored = await open(table, 1);
    await restored.write([{ key: 'a', before: { n: 1, group: 0 }, after: { n: 7, group: 0 } }], [originAt(1)]);
    await restored.prepare?.();
    expect(await current(table)).toEqual({ a: { n: 7, group: 0 }, b: { n: 2, group: 0 } });
  });

  it('writes nothing for a change from nothing to nothing', async () => {
    const table = tableName();
    const writer = await open(table);
    await writer.write([{ key: 'a', before: null, after: null }], [originAt(0)]);
    await writer.prepare?.();
    expect(await db.query(`SELECT toUInt32(count()) AS n FROM ${table}_rows`)).toEqual([{ n: 0 }]);
  });

  it('refuses a table that was made for rows', async () => {
    const table = tableName();
    const rows = clickhouse.tableSink<Kept>({ table, columns: { n: 'UInt32' } }) as Sink<unknown>;
    await db.tableSink.setUp?.(rows, { topology: 'upserts', step: 'rows', partitions: 1 });
    await expect(open(table)).rejects.toMatchObject({ code: 'config', where: `${table}_rows` });
  });
}
