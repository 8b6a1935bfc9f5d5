import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import {
  days,
  type Measured,
  type MetricRow,
  type Origin,
  type Sink,
  type SinkWriter,
} from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from './memory-ledgers.js';

interface Flight {
  readonly flightId: number;
  readonly origin: string;
  readonly departedAt: number;
  readonly distance: number | null;
}

const flight = (flightId: number, more: Partial<Flight> = {}): Flight => ({
  flightId,
  origin: 'JFK',
  departedAt: 978_307_200_123 + flightId,
  distance: flightId % 3 === 0 ? null : flightId / 7,
  ...more,
});

/** The same behaviour is asked of a server and of the engine in this process. */
export function clickHouseSuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  /** A name of its own for each test, so that a server that keeps its data can run them again. */
  const tableName = () => `flights_${Date.now().toString(36)}_${process.pid}_${made++}`;

  beforeAll(async () => {
    db = await openClickHouse({ ...options(), batchRows: 64 });
  });
  afterAll(() => db?.close());

  const flights = (table: string): Sink<Flight> =>
    clickhouse.tableSink({
      table,
      columns: {
        flightId: 'UInt32',
        origin: 'LowCardinality(String)',
        departedAt: 'DateTime64(3)',
        distance: 'Nullable(Float64)',
      },
      orderBy: ['departedAt'],
    });

  async function open(sink: Sink<never>, incarnation = 0, partition = 0): Promise<SinkWriter> {
    const task = { topology: 'flights', partition };
    await db.tableSink.setUp?.(sink as Sink<unknown>, { topology: 'flights', step: 'history', partitions: 2 });
    return db.tableSink.open(sink as Sink<unknown>, { step: 'history', task, incarnation });
  }

  async function writeAll(writer: SinkWriter, values: readonly unknown[], origins?: readonly Origin[]) {
    await writer.write(values, origins ?? (values as readonly Flight[]).map(({ flightId }) => originAt(flightId)));
    await writer.prepare?.();
  }

  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => flight(from + i));
  const read = (table: string) =>
    db.query<Flight>(
      `SELECT flightId, origin, toUnixTimestamp64Milli(departedAt) AS departedAt, distance FROM ${table} ORDER BY flightId`,
    );

  describe('keeps the contract of sinks', () => {
    const world = async () => {
      const table = tableName();
      const ledgers = memoryLedgers();
      return {
        driver: db.tableSink,
        sink: clickhouse.tableSink<{ n: number }>({ table, columns: { n: 'UInt32' } }) as Sink<unknown>,
        openLedger: ledgers,
        value: (n: number) => ({ n }),
        visible: async () => (await db.query<{ n: number }>(`SELECT n FROM ${table}`)).map(({ n }) => n),
        close: async () => {},
      };
    };
    for (const { name, run } of sinkContract('idempotent', world)) it(name, run);
  });

  it('reads back what was written, over many batches', async () => {
    const table = tableName();
    const writer = await open(flights(table));
    await writeAll(writer, range(0, 1_000));
    expect(await read(table)).toEqual(range(0, 1_000));
  });

  it('changes nothing when a crashed epoch is replayed, cut otherwise', async () => {
    const table = tableName();
    await writeAll(await open(flights(table)), range(0, 300));
    const again = await open(flights(table));
    for (const [from, to] of [
      [150, 163],
      [163, 290],
      [290, 400],
    ] as const) {
      await writeAll(again, range(from, to));
    }
    expect(await read(table)).toEqual(range(0, 400));
    expect(await db.query(`SELECT count() AS n FROM ${table}_rows`)).not.toEqual([{ n: 400 }]); // the replay did write
  });

  it('inserts on recovery only what is not there, several rows of a record included', async () => {
    const table = tableName();
    const origins = [originAt(5), originAt(5), originAt(6), originAt(7), originAt(7)];
    const values = [1, 2, 3, 4, 5].map((id) => flight(id, { departedAt: 1_000_000_000_000 }));
    await writeAll(await open(flights(table)), values.slice(0, 2), origins.slice(0, 2));
    const recovering = await open(flights(table));
    await recovering.recover?.(values, origins);
    await recovering.prepare?.();
    expect(await read(table)).toEqual(values);
    expect(await db.query(`SELECT toUInt32(count()) AS n FROM ${table}_rows`)).toEqual([{ n: 5 }]);
    // Rows of an older incarnation do not count as there.
    const raised = await open(flights(table), 1);
    await raised.recover?.(values, origins);
    await raised.prepare?.();
    expect(await db.query(`SELECT toUInt32(countIf(_incarnation = 1)) AS n FROM ${table}_rows`)).toEqual([{ n: 5 }]);
  });

  it('keeps every value of a record, each once', async () => {
    const table = tableName();
    const origins = [originAt(5), originAt(5), originAt(5), originAt(6)];
    const values = [1, 2, 3, 4].map((id) => flight(id, { departedAt: 1_000_000_000_000 }));
    await writeAll(await open(flights(table)), values, origins);
    await writeAll(await open(flights(table)), values, origins);
    expect(await read(table)).toEqual(values);
  });

  it('tells topics, partitions and topologies apart', async () => {
    const table = tableName();
    const at = { departedAt: 1_000_000_000_000 };
    await writeAll(
      await open(flights(table)),
      [flight(1, at), flight(2, at)],
      [originAt(5), { ...originAt(5), topic: 'other' }],
    );
    await writeAll(await open(flights(table), 0, 1), [flight(3, at)], [originAt(5, 1)]);
    expect((await read(table)).map(({ flightId }) => flightId)).toEqual([1, 2, 3]);
  });

  it('lets a newer incarnation replace a row, and an older one not, in whatever order they come', async () => {
    const table = tableName();
    const write = async (incarnation: number, origin: string) =>
      writeAll(await open(flights(table), incarnation), [flight(1, { origin })]);
    await write(0, 'old');
    await write(2, 'newest');
    await write(1, 'zombie');
    expect(await read(table)).toEqual([flight(1, { origin: 'newest' })]);
  });

  it('writes times of every precision from milliseconds, and numbers that JSON lacks', async () => {
    interface Row {
      readonly s: number;
      readonly ms: number;
      readonly us: number;
      readonly sec: number;
      readonly day: number;
      readonly x: number;
      readonly big: bigint;
      readonly tags: readonly string[];
      readonly text: string;
      readonly yes: boolean;
    }
    const table = tableName();
    const sink = clickhouse.tableSink<Row>({
      table,
      columns: {
        s: 'DateTime64(0)',
        ms: 'DateTime64(3)',
        us: "DateTime64(6, 'Europe/Rome')",
        sec: 'DateTime',
        day: 'Date',
        x: 'Float64',
        big: 'UInt64',
        tags: 'Array(String)',
        text: 'Nullable(String)',
        yes: 'Bool',
      },
    });
    const at = 981_173_106_789; // 2001-02-03 04:05:06.789
    const text = 'it\'s "quoted"\n\ttab \\ \u0000 ü 🛫';
    const row = { s: at, ms: at, us: at, sec: at, day: at, big: 2n ** 64n - 1n, tags: ['a', "b'"], yes: true };
    await writeAll(
      await open(sink),
      [
        { ...row, x: Number.NaN, text },
        { ...row, x: -Infinity, text: '' },
        { ...row, x: 1e-300, text: undefined },
      ],
      [originAt(1), originAt(2), originAt(3)],
    );
    const rows = await db.query<Record<string, unknown>>(
      `SELECT toString(s) AS s, toString(ms) AS ms, toString(toTimeZone(us, 'UTC')) AS us, toString(sec) AS sec,
              toString(day) AS day, toString(x) AS x, toString(big) AS big, tags, text, yes
       FROM ${table}_rows ORDER BY _offset`,
    );
    const common = {
      s: '2001-02-03 04:05:06',
      ms: '2001-02-03 04:05:06.789',
      us: '2001-02-03 04:05:06.789000',
      sec: '2001-02-03 04:05:06',
      day: '2001-02-03',
      big: '18446744073709551615',
      tags: ['a', "b'"],
      yes: true,
    };
    expect(rows).toEqual([
      { ...common, x: 'nan', text },
      { ...common, x: '-inf', text: '' },
      { ...common, x: '1e-300', text: null },
    ]);
  });

  it('keeps measurements, the last one of each point of event time', async () => {
    const table = tableName();
    const metric = (name: string, eventTimeMs: number, value: number, of: Measured = {}): MetricRow => ({
      topology: 'flights',
      step: 'delay-model',
      task: 1,
      name,
      ...{ slice: '', version: '', ...of },
      eventTimeMs,
      value,
    });
    const writer = await open(clickhouse.metricsSink({ table }));
    await writeAll(writer, [metric('logLoss', 3_600_000, 0.5), metric('counter:read', 3_600_000, 10)], []);
    await writeAll(writer, [metric('counter:read', 3_600_000, 15), metric('logLoss', 7_200_000, Number.NaN)], []);
    await writeAll(writer, [metric('counter:read', 8.64e15, 1)], []); // the end of all times, as near as a table comes to it
    const rows = await db.query(
      `SELECT step, task, name, toString(eventTime) AS eventTime, toString(value) AS value FROM ${table} ORDER BY name, eventTime`,
    );
    const common = { step: 'delay-model', task: 1 };
    expect(rows).toEqual([
      { ...common, name: 'counter:read', eventTime: '1970-01-01 01:00:00.000', value: '15' },
      { ...common, name: 'counter:read', eventTime: '2299-12-31 23:59:59.999', value: '1' },
      { ...common, name: 'logLoss', eventTime: '1970-01-01 01:00:00.000', value: '0.5' },
      { ...common, name: 'logLoss', eventTime: '1970-01-01 02:00:00.000', value: 'nan' },
    ]);
  });

  it('keeps measurements of slices and versions apart, in a table of an earlier release too', async () => {
    const table = tableName();
    const before = `topology LowCardinality(String), step LowCardinality(String), task UInt32, name LowCardinality(String),
      eventTime DateTime64(3), value Float64`;
    await db.command(
      `CREATE TABLE ${table}_rows (${before}, _incarnation UInt64) ENGINE = ReplacingMergeTree(_incarnation)
       ORDER BY (topology, step, task, name, eventTime)`,
    );
    await db.command(`INSERT INTO ${table}_rows VALUES ('flights', 'model', 0, 'loss', 3600, 0.7, 1)`);
    await db.command(
      `CREATE VIEW ${table} AS SELECT topology, step, task, name, eventTime, value FROM ${table}_rows FINAL`,
    );
    const row = (value: number, of: Measured): MetricRow => ({
      ...{ topology: 'flights', step: 'model', task: 0, name: 'loss', eventTimeMs: 3_600_000, value },
      ...{ slice: '', version: '', ...of },
    });
    for (const value of [0.4, 0.5])
      await writeAll(
        await open(clickhouse.metricsSink({ table })),
        [row(value, { slice: 'origin=JFK' }), row(value + 0.1, { slice: 'origin=JFK', version: 'm.0.10' })],
        [],
      );
    expect(await db.query(`SELECT slice, version, value FROM ${table} ORDER BY slice, version`)).toEqual([
      { slice: '', version: '', value: 0.7 },
      { slice: 'origin=JFK', version: '', value: 0.5 },
      { slice: 'origin=JFK', version: 'm.0.10', value: 0.6 },
    ]);
  });

  it('adds columns that are missing with the first row, and refuses other changes with the statement that makes them', async () => {
    const table = tableName();
    await writeAll(await open(flights(table)), range(0, 3));
    type Gated = Flight & { gate: string };
    const sink = (columns: Partial<Record<keyof Gated, string>>, migrate?: 'stop' | 'widen') =>
      clickhouse.tableSink<Gated>({ table, columns, orderBy: ['departedAt'], ...(migrate ? { migrate } : {}) });
    const wanted = { flightId: 'UInt32', departedAt: 'DateTime64(3)', gate: 'LowCardinality(String)' };
    await expect(open(sink(wanted, 'stop'))).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/column gate is missing, declared is LowCardinality\(String\)/),
      hint: expect.stringMatching(
        /ADD COLUMN IF NOT EXISTS `gate` LowCardinality\(String\)`, or allow it by `migrate: 'add'`/,
      ),
    });
    // A checkpoint may still refuse the run, and the old version go on.
    const writer = await open(sink(wanted));
    await expect(db.query(`SELECT gate FROM ${table}`)).rejects.toThrow('gate');
    await writeAll(await open(flights(table)), [flight(3)]);
    await writeAll(writer, [{ ...flight(4), gate: 'B7' }]);
    expect(await db.query(`SELECT gate FROM ${table} ORDER BY flightId`)).toEqual(
      ['', '', '', '', 'B7'].map((gate) => ({ gate })),
    );

    const wider = { ...wanted, flightId: 'UInt64', distance: 'Nullable(Float64)' };
    await expect(open(sink(wider))).rejects.toMatchObject({
      message: expect.stringContaining('column flightId is UInt32, declared is UInt64'),
      hint: expect.stringContaining("MODIFY COLUMN `flightId` UInt64`, or allow it by `migrate: 'widen'`"),
    });
    await writeAll(await open(sink(wider, 'widen')), [{ ...flight(5), gate: 'C' }]);
    expect(
      await db.query(`SELECT toTypeName(flightId) AS type, distance FROM ${table} ORDER BY flightId LIMIT 1`),
    ).toEqual([{ type: 'UInt64', distance: null }]);

    const narrower = sink({ ...wider, flightId: 'UInt32', gate: 'Nullable(UInt8)' }, 'widen');
    await expect(open(narrower)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/flightId is UInt64.*gate is LowCardinality\(String\)/),
      hint: expect.stringMatching(/^run `ALTER TABLE .*`, or choose another table name$/),
    });
    for (const [other, message] of [
      [
        clickhouse.tableSink<Flight>({ table, columns: { flightId: 'UInt64' }, orderBy: ['flightId'] }),
        'sorting key is departedAt',
      ],
      [sink({ ...wider, departedAt: 'DateTime64(6)' }, 'widen'), 'departedAt is DateTime64(3)'],
    ] as const) {
      await expect(open(other)).rejects.toMatchObject({
        code: 'config',
        message: expect.stringContaining(message),
        hint: expect.stringContaining('cannot be changed'),
      });
    }
  });

  it('tells of differences before a run, and what it would do about them', async () => {
    const table = tableName();
    const mismatches = async (sink: Sink<Flight>) => db.tableSink.mismatches?.(sink as Sink<unknown>);
    expect(await mismatches(flights(table))).toEqual([]); // there is no table yet
    await open(flights(table));
    expect(await mismatches(flights(table))).toEqual([]);
    const changed = clickhouse.tableSink<Flight>({
      table,
      columns: { flightId: 'UInt16', departedAt: 'DateTime64(3)', origin: 'LowCardinality(String)' },
      orderBy: ['departedAt'],
      insertedAt: 'storedAt',
      partitionBy: 'toYYYYMM( `departedAt` )',
      ttl: { since: 'storedAt', after: days(30) },
    });
    const rows = `table '${table}_rows'`;
    expect(await mismatches(changed)).toMatchObject([
      { what: rows, setting: 'column flightId', declared: 'UInt16', actual: 'UInt32', refused: true },
      { setting: 'column storedAt', actual: 'missing', refused: false, hint: expect.stringContaining('the next run') },
      { setting: 'partition key', declared: 'toYYYYMM(departedAt)', actual: '', refused: true },
      {
        setting: 'ttl',
        actual: '',
        refused: true,
        hint: expect.stringContaining('MODIFY TTL storedAt + toIntervalSecond(2592000)'),
      },
    ]);
    expect(await db.query(`SELECT name FROM system.columns WHERE table = '${table}' AND name = 'storedAt'`)).toEqual(
      [],
    );
  });

  it('is set up by several processes at the same time, with a change on the way', async () => {
    const table = tableName();
    await Promise.all(Array.from({ length: 4 }, () => open(flights(table))));
    const added = clickhouse.tableSink<Flight & { gate: string }>({
      table,
      columns: { flightId: 'UInt64', departedAt: 'DateTime64(3)', gate: 'String' },
      orderBy: ['departedAt'],
      migrate: 'widen',
    });
    const gated = async (id: number) => writeAll(await open(added), [{ ...flight(id), gate: 'A' }]);
    await Promise.all([0, 1, 2, 3].map(gated));
    expect(await db.query(`SELECT name, type FROM system.columns WHERE table = '${table}' ORDER BY position`)).toEqual([
      { name: 'flightId', type: 'UInt64' },
      { name: 'departedAt', type: 'DateTime64(3)' },
      { name: 'gate', type: 'String' },
    ]);
  });

  it('keeps partitions and a time to live', async () => {
    const table = tableName();
    const sink = (since: 'departedAt' | 'storedAt') =>
      clickhouse.tableSink<Flight>({
        table: `${table}_${since}`,
        columns: { flightId: 'UInt32', departedAt: 'DateTime64(3)' },
        insertedAt: 'storedAt',
        partitionBy: 'toYear(departedAt)',
        ttl: { since, after: days(30) },
      });
    for (const since of ['departedAt', 'storedAt'] as const) {
      await open(sink(since)); // and again, as after a restart
      await writeAll(await open(sink(since)), range(0, 10));
      await db.command(`OPTIMIZE TABLE ${table}_${since}_rows FINAL`);
    }
    const counted = async (since: string) =>
      (await db.query<{ n: number }>(`SELECT toUInt32(count()) AS n FROM ${table}_${since}`))[0]?.n;
    expect(await counted('departedAt')).toBe(0); // flights of 2001: a replay does not bring them back
    expect(await counted('storedAt')).toBe(10);
    expect(
      await db.query(`SELECT DISTINCT partition FROM system.parts WHERE table = '${table}_storedAt_rows' AND active`),
    ).toEqual([{ partition: '2001' }]);
  });

  it('leaves a table that is not its own alone', async () => {
    const table = tableName();
    await db.command(`CREATE TABLE ${table} (x UInt8) ENGINE = MergeTree ORDER BY x`);
    await expect(open(flights(table))).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('MergeTree where View must be'),
    });
  });

  it('refuses names that are none', async () => {
    for (const table of ['x; DROP TABLE y', '1st', 'a.b', '']) {
      await expect(open(flights(table))).rejects.toMatchObject({ code: 'config' });
    }
    const hidden = clickhouse.tableSink<{ _n: number }>({ table: tableName(), columns: { _n: 'UInt8' } });
    await expect(open(hidden)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('underscore'),
    });
  });

  it('refuses a null for a column that takes none, and what is no time', async () => {
    const writer = await open(flights(tableName()));
    const write = (value: unknown) => writer.write([value], [originAt(1)]);
    expect(() => write({ ...flight(1), origin: null })).toThrow(/column origin .* has no room for null/);
    expect(() => write({ ...flight(1), departedAt: 'yesterday' })).toThrow(
      /column departedAt .* has no room for a string/,
    );
  });

  it('reports a failed insert to the next prepare, with the number of the exception', async () => {
    const table = tableName();
    const writer = await open(flights(table));
    await db.command(`DROP TABLE ${table}_rows SYNC`);
    await writer.write([flight(1)], [originAt(1)]);
    await expect(writer.prepare?.()).rejects.toMatchObject({
      code: 'sink',
      message: expect.stringMatching(/cannot insert into .*ClickHouse error 60/),
      hint: expect.stringContaining('dropped'),
    });
    await expect(writer.prepare?.()).rejects.toMatchObject({ code: 'sink' }); // and does not forget
  });

  it('answers queries with parameters, and fails with the words of the engine', async () => {
    const text = "it's \\ a\ttab\nand {x:UInt8}";
    const sql = 'SELECT {text:String} AS text, {n:UInt64} AS n, {list:Array(String)} AS list';
    const params = { text, n: 9_007_199_254_740_991, list: ["a'b", 'c\\d'] };
    expect(await db.query(sql, params)).toEqual([params]);
    await expect(db.query('SELECT nope')).rejects.toMatchObject({
      code: 'sink',
      message: expect.stringMatching(/the query failed: .*nope.*ClickHouse error 47/),
    });
  });

  it('asks its writer to wait when inserts do not keep up', async () => {
    const writer = await open(flights(tableName()));
    const waits: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      const wait = writer.write(
        range(i * 64, (i + 1) * 64),
        range(i * 64, (i + 1) * 64).map(({ flightId }) => originAt(flightId)),
      );
      waits.push(wait);
      await wait;
    }
    expect(waits.filter(Boolean).length).toBeGreaterThan(0);
    await writer.prepare?.();
  });
}
