import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import { minutes, type Sink, type SinkWriter } from '../../../src/core/index.js';
import { avro, localRegistry, openCodec } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from './memory-ledgers.js';

interface Sale {
  readonly id: number;
  readonly shop: string;
  readonly amount: number;
}

const sale = (id: number): Sale => ({ id, shop: `shop-${id % 3}`, amount: id });

/** Tables from schemas, and views beside them. Asked of a server and of the engine in this process. */
export function tablesSuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  const tableName = () => `tables_${Date.now().toString(36)}_${process.pid}_${made++}`;

  beforeAll(async () => {
    db = await openClickHouse(options());
  });
  afterAll(() => db?.close());

  async function open(to: ClickHouse, sink: Sink<never>): Promise<SinkWriter> {
    await to.tableSink.setUp?.(sink as Sink<unknown>, { topology: 'tables', step: 'out', partitions: 1 });
    const task = { topology: 'tables', partition: 0 };
    return to.tableSink.open(sink as Sink<unknown>, { step: 'out', task, incarnation: 0 });
  }

  async function writeAll(writer: SinkWriter, values: readonly unknown[], from = 0) {
    await writer.write(
      values,
      values.map((_, n) => originAt(from + n)),
    );
    await writer.prepare?.();
  }

  describe('keeps the contract of sinks with everything that a table may have', () => {
    const Numbered = avro<{ n: number; at: number }>({
      subject: 'numbered-value',
      definition: JSON.stringify({
        type: 'record',
        name: 'Numbered',
        fields: [
          { name: 'n', type: 'int' },
          { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
        ],
      }),
    });
    const world = async () => {
      const table = tableName();
      const sink = clickhouse.tableSink({
        table,
        schema: Numbered,
        orderBy: ['at'],
        insertedAt: 'storedAt',
        partitionBy: 'toYYYYMM(at)',
        ttl: { since: 'storedAt', after: minutes(600) },
        views: [clickhouse.view({ name: `${table}_odd`, as: `SELECT n FROM ${table}` })],
        exactlyOnce: true,
      });
      return {
        driver: db.tableSink,
        sink: sink as Sink<unknown>,
        openLedger: memoryLedgers(),
        value: (n: number) => ({ n, at: n * 86_400_000_000 }),
        visible: async () => (await db.query<{ n: number }>(`SELECT n FROM ${table}_odd`)).map(({ n }) => n),
        close: async () => {},
      };
    };
    for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
  });

  describe('the table of a schema', () => {
    const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more });
    const leg = {
      type: 'record',
      name: 'Leg',
      fields: [
        { name: 'to', type: 'string' },
        { name: 'at', type: logical('long', 'timestamp-millis') },
      ],
    };
    const Reading = avro<Record<string, unknown>>({
      subject: 'readings-value',
      definition: JSON.stringify({
        type: 'record',
        name: 'Reading',
        fields: [
          { name: 'id', type: 'long' },
          { name: 'note', type: ['null', 'string'] },
          { name: 'at', type: logical('long', 'timestamp-millis') },
          { name: 'exactly', type: logical('long', 'timestamp-micros') },
          { name: 'day', type: logical('int', 'date') },
          { name: 'price', type: logical('bytes', 'decimal', { precision: 12, scale: 2 }) },
          { name: 'raw', type: 'bytes' },
          { name: 'kind', type: { type: 'enum', name: 'K', symbols: ['COLD', 'WARM'] } },
          { name: 'values', type: { type: 'array', items: ['null', 'double'] } },
          { name: 'by', type: { type: 'map', values: 'int' } },
          { name: 'leg', type: leg },
          { name: 'tags', type: ['null', { type: 'array', items: 'string' }] },
        ],
      }),
    });
    const value = {
      id: 2 ** 53 - 1,
      note: null,
      at: 981_173_106_789,
      exactly: 981_173_106_789_123,
      day: 11_356,
      price: '-1234567890.5',
      raw: Buffer.from([0, 255, 34]),
      kind: 'WARM',
      values: [1.5, null, Number.POSITIVE_INFINITY],
      by: { ü: -1 },
      leg: { to: 'ATL', at: 981_173_106_789 },
      tags: ['a'],
    };

    it('has a column for each field, which holds what the codec gives', async () => {
      const table = tableName();
      const codec = await openCodec(Reading, localRegistry());
      const bytes = codec.encode(value);
      await codec.prepare([{ offset: 0, timestampMs: 0, key: null, value: bytes }]);
      const decoded = codec.decode(bytes);
      const writer = await open(
        db,
        clickhouse.tableSink({ table, schema: Reading, columns: { id: 'UInt64' }, orderBy: ['at'] }),
      );
      await writeAll(writer, [decoded, { ...(decoded as object), tags: null, note: 'x' }]);
      const columns = await db.query<{ name: string; type: string }>(
        `SELECT name, type FROM system.columns WHERE table = '${table}' ORDER BY position`,
      );
      expect(
        Object.fromEntries(columns.map(({ name, type }) => [name, type.replaceAll(/\s+/g, ' ').replace('( ', '(')])),
      ).toEqual({
        id: 'UInt64',
        note: 'Nullable(String)',
        at: 'DateTime64(3)',
        exactly: 'DateTime64(6)',
        day: 'Date32',
        price: 'Decimal(12, 2)',
        raw: 'String',
        kind: 'LowCardinality(String)',
        values: 'Array(Nullable(Float64))',
        by: 'Map(String, Int32)',
        leg: 'Tuple(to String, at DateTime64(3))',
        tags: 'Nullable(String)',
      });
      const [first, second] = await db.query<Record<string, unknown>>(
        `SELECT * REPLACE(hex(raw) AS raw, toString(price) AS price, toString(values) AS values) FROM ${table} ORDER BY note NULLS FIRST`,
      );
      const at = '2001-02-03 04:05:06.789';
      expect(first).toEqual({
        ...value,
        at,
        exactly: `${at}123`,
        day: '2001-02-03',
        raw: '00FF22',
        values: '[1.5,NULL,inf]',
        leg: { to: 'ATL', at },
        tags: '["a"]',
      });
      expect(second).toMatchObject({ tags: null, note: 'x' });
    });

    it('gets the default of a new field for the rows that are there, as a reader of old records does', async () => {
      const table = tableName();
      const newer = [
        { name: 'word', type: 'string', default: "it's \\ 'so'" },
        { name: 'count', type: 'long', default: -5 },
        { name: 'share', type: 'double', default: 1.5e-7 },
        { name: 'good', type: 'boolean', default: true },
        { name: 'level', type: { type: 'enum', name: 'Level', symbols: ['low', 'high'] }, default: 'high' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, default: 1_700_000_000_123 },
        { name: 'far', type: { type: 'long', logicalType: 'timestamp-micros' }, default: 1_700_000_000_123_456 },
        { name: 'maybe', type: ['null', 'string'], default: null },
        { name: 'perhaps', type: ['string', 'null'], default: 'x' },
        { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
        { name: 'own', type: 'long', default: 7 },
      ];
      const versionOf = (...fields: readonly object[]) =>
        avro<Record<string, unknown>>({
          subject: 'defaults-value',
          definition: JSON.stringify({
            type: 'record',
            name: 'Defaults',
            fields: [{ name: 'id', type: 'int' }, ...fields],
          }),
        });
      await writeAll(await open(db, clickhouse.tableSink({ table, schema: versionOf() })), [{ id: 1 }]);
      const sink = clickhouse.tableSink({ table, schema: versionOf(...newer), columns: { own: 'UInt8' } });
      const given = Object.fromEntries(newer.map(({ name, default: value }) => [name, value]));
      await writeAll(await open(db, sink), [{ ...given, id: 2 }], 1);
      const [row] = await db.query<object>(
        `SELECT * EXCEPT (at, far), toString(at) AS at, toString(far) AS far FROM ${table} WHERE id = 1`,
      );
      expect(row).toMatchObject({
        id: 1,
        word: "it's \\ 'so'",
        share: 1.5e-7,
        good: true,
        level: 'high',
        at: '2023-11-14 22:13:20.123',
        far: '2023-11-14 22:13:20.123456',
        maybe: null,
        perhaps: 'x',
        tags: [],
        own: 0, // the sink says what this one is
      });
      expect(Number((row as { count: unknown }).count)).toBe(-5);
    });

    it('gets a column when the schema gets a field', async () => {
      const table = tableName();
      const versionOf = (...names: string[]) =>
        avro<Record<string, string>>({
          subject: 'v',
          definition: JSON.stringify({
            type: 'record',
            name: 'V',
            fields: names.map((name) => ({ name, type: 'string' })),
          }),
        });
      await writeAll(await open(db, clickhouse.tableSink({ table, schema: versionOf('a') })), [{ a: '1' }]);
      await writeAll(
        await open(db, clickhouse.tableSink({ table, schema: versionOf('a', 'b') })),
        [{ a: '2', b: 'x' }],
        1,
      );
      expect(await db.query(`SELECT * FROM ${table} ORDER BY a`)).toEqual([
        { a: '1', b: '' },
        { a: '2', b: 'x' },
      ]);
    });
  });

  describe('a view beside a table', () => {
    const withView = (table: string, every?: 'stored', sum = 'sum(amount)') =>
      clickhouse.tableSink<Sale>({
        table,
        columns: { id: 'UInt32', shop: 'LowCardinality(String)', amount: 'UInt32' },
        views: [
          clickhouse.view({
            name: `${table}_by_shop`,
            as: `SELECT shop, toUInt32(count()) AS sales, toUInt32(${sum}) AS total FROM ${table} GROUP BY shop ORDER BY shop`,
            ...(every ? { every: minutes(60), orderBy: ['shop'] } : {}),
          }),
        ],
      });
    const sales = Array.from({ length: 30 }, (_, id) => sale(id));
    const result = ['shop-0', 'shop-1', 'shop-2'].map((shop, i) => ({ shop, sales: 10, total: 135 + 10 * i }));

    it('counts a row once that is written again', async () => {
      const table = tableName();
      await writeAll(await open(db, withView(table)), sales);
      await writeAll(await open(db, withView(table)), sales.slice(0, 20)); // a replay, cut otherwise
      expect(await db.query(`SELECT * FROM ${table}_by_shop`)).toEqual(result);
      expect(await db.query(`SELECT count() > 30 AS more FROM ${table}_rows`)).toEqual([{ more: 1 }]);
      await open(db, withView(table, undefined, 'max(amount)'));
      expect(await db.query(`SELECT max(total) AS most FROM ${table}_by_shop`)).toEqual([{ most: 29 }]);
    });

    it('stores its result as a whole where the database can, and counts a replay once', async () => {
      const database = `stored_${tableName()}`;
      await db.command(`CREATE DATABASE ${database} ENGINE = Atomic`);
      const given = options();
      // The engine in the process has one database for all its sessions: the views there are computed when they are read.
      const own = 'url' in given ? await openClickHouse({ ...given, database }) : db;
      const table = tableName();
      await writeAll(await open(own, withView(table, 'stored')), sales);
      await writeAll(await open(own, withView(table, 'stored')), sales.slice(0, 20));
      if (own !== db) {
        await own.command(`SYSTEM REFRESH VIEW ${table}_by_shop`);
        await own.command(`SYSTEM WAIT VIEW ${table}_by_shop`);
      }
      expect(await own.query(`SELECT * FROM ${table}_by_shop ORDER BY shop`)).toEqual(result);
      const [view] = await own.query<{ engine: string }>(
        `SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = '${table}_by_shop'`,
      );
      expect(view?.engine).toBe(own === db ? 'View' : 'MaterializedView');
      await open(own, withView(table)); // no longer stored
      expect(await own.query(`SELECT * FROM ${table}_by_shop`)).toEqual(result);
      if (own !== db) await own.close();
      await db.command(`DROP DATABASE ${database}`);
    });

    it('does not take the name of what is not its own', async () => {
      const table = tableName();
      await db.command(`CREATE TABLE ${table}_by_shop (x UInt8) ENGINE = MergeTree ORDER BY x`);
      await expect(open(db, withView(table))).rejects.toMatchObject({
        code: 'config',
        hint: expect.stringContaining('another name'),
      });
    });

    it('is made by several processes at the same time', async () => {
      const table = tableName();
      await Promise.all(Array.from({ length: 3 }, () => open(db, withView(table))));
      await Promise.all(Array.from({ length: 3 }, () => open(db, withView(table, undefined, 'min(amount)'))));
      expect(await db.query(`SELECT * FROM ${table}_by_shop`)).toEqual([]);
    });
  });
}
