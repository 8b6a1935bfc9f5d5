import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from '../../../connectors/clickhouse/open.js';
import {
  EARLIEST,
  millis,
  type OutgoingRecord,
  type RawRecord,
  type Sink,
  type Source,
  type SourceDriver,
  type SourceReader,
} from '../../../src/core/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import { sourceContract } from '../../../src/testing/source-contract.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';

type Options = Parameters<typeof clickhouse.querySource>[0];
type At = { readonly sourceState?: unknown };

/** Rows of a query as records. Asked of a server and of the engine in this process. */
export function querySuite(options: () => ClickHouseOptions): void {
  let db: ClickHouse;
  let made = 0;
  const tableName = () => `query_${Date.now().toString(36)}_${process.pid}_${made++}`;

  beforeAll(async () => {
    db = await openClickHouse(options());
  });
  afterAll(() => db?.close());

  const queryOf = (more: Partial<Options> & Pick<Options, 'sql'>) =>
    clickhouse.querySource({ name: 'rows', orderBy: ['n'], eventTime: () => 0, ...more });

  const open = (source: ReturnType<typeof queryOf>, offset = EARLIEST, sourceState?: unknown, bounded = true) =>
    db.source.open(source, {
      task: { topology: 'q', partition: 0 },
      partition: 0,
      offset,
      bounded,
      step: 'rows',
      sourceState,
    });

  async function readAll(reader: SourceReader, recordsMax = 1_000): Promise<RawRecord[]> {
    const read: RawRecord[] = [];
    for (;;) {
      const { records, ended } = await reader.poll(recordsMax);
      read.push(...records);
      if (ended) return read;
    }
  }
  const json = ({ value }: RawRecord) => JSON.parse(Buffer.from(value ?? []).toString());

  describe('keeps the contract of sources, as far as rows are records', () => {
    /** A table as a log: bytes in hex, headers in pairs. Each partition is a query of its own. */
    const world = async () => {
      const table = tableName();
      await db.command(
        `CREATE TABLE ${table} (partition UInt8, n UInt64, record String) ENGINE = MergeTree ORDER BY (partition, n)`,
      );
      const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));
      const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, 'hex'));
      const sourceOf = (partition: number) =>
        queryOf({
          sql: `SELECT n, record FROM ${table} WHERE partition = ${partition}`,
          pageRowsMax: 600,
          every: millis(5),
        });
      let written = 0;
      const driver: SourceDriver = {
        partitions: async () => 2,
        async open(_source, at) {
          const reader = await db.source.open(sourceOf(at.partition), at);
          const recordOf = (raw: RawRecord): RawRecord => {
            const { key, value, timestampMs, headers } = JSON.parse(json(raw).record);
            return {
              ...raw,
              key: bytes(key),
              value: bytes(value),
              timestampMs,
              ...(headers ? { headers: headers.map(([name, text]: [string, string]) => [name, bytes(text)]) } : {}),
            };
          };
          return {
            poll: async (recordsMax, bytesMax) => {
              const { records, ended } = await reader.poll(recordsMax, bytesMax);
              return { records: records.map(recordOf), ended };
            },
            close: () => reader.close(),
          };
        },
      };
      return {
        driver,
        source: sourceOf(0) as Source<unknown>,
        async append(partition: number, records: readonly OutgoingRecord[]) {
          const sink = clickhouse.tableSink<object>({
            table: `${table}_log`,
            columns: { partition: 'UInt8', n: 'UInt64', record: 'String' } as object,
          });
          await db.tableSink.setUp?.(sink as Sink<unknown>, { topology: 'q', step: 'log', partitions: 1 });
          const context = { step: 'log', task: { topology: 'q', partition }, incarnation: 0 };
          const writer = await db.tableSink.open(sink as Sink<unknown>, context);
          const rows = records.map(({ key, value, timestampMs, headers }) => ({
            partition,
            n: written++,
            record: JSON.stringify({
              key: hex(key),
              value: hex(value),
              timestampMs,
              headers: headers?.map(([name, each]) => [name, hex(each)]),
            }),
          }));
          await writer.write(
            rows,
            rows.map(({ n }) => originAt(n, partition)),
          );
          await writer.prepare?.();
          await db.command(`INSERT INTO ${table} SELECT * FROM ${table}_log WHERE n >= ${written - rows.length}`);
        },
        close: async () => {},
      };
    };
    for (const { name, run } of sourceContract(world)) it(name, run);
  });

  it('reads every row once, in its order, however pages and restarts cut it', async () => {
    const table = tableName();
    await db.command(`CREATE TABLE ${table} (at DateTime64(6, 'Europe/Rome'), word LowCardinality(String), id UUID, big Int128,
      price Decimal(20, 4), kind Enum8('b' = 1, 'a' = 2), day Date, n UInt32) ENGINE = MergeTree ORDER BY (at, word)`);
    // An hour that comes twice in Rome, words of any bytes, and many that agree in the first columns.
    await db.command(`INSERT INTO ${table} SELECT fromUnixTimestamp64Micro(toInt64(1635638400000000 + (number % 7) * 1800000000 + number % 3), 'Europe/Rome'),
      char(number % 5 + 250, 34, 92, 0, number % 3), generateUUIDv4(), toInt128(number * 7919 % 31) * toInt128('-1000000000000000000000'), toDecimal128(number % 11, 4) / 8,
      if(number % 2 = 0, 'a', 'b'), toDate(number % 40000), number FROM numbers(700)`);
    const all = await db.query<{ n: number }>(`SELECT n FROM ${table} ORDER BY n`);
    expect(all).toHaveLength(700);
    const columns = ['at', 'word', 'id', 'big', 'price', 'kind', 'day'];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(columns, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 25, max: 400 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }),
        async (some, pageRowsMax, cuts) => {
          const orderBy = [...some, 'n'];
          const source = queryOf({ sql: `SELECT * FROM ${table}`, orderBy, pageRowsMax });
          const sorted = await db.query<{ n: number }>(`SELECT n FROM ${table} ORDER BY ${orderBy.join(', ')}`);
          const read: number[] = [];
          let position: { offset: number } & At = { offset: EARLIEST };
          for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
            const reader = await open(source, position.offset, position.sourceState);
            const records: RawRecord[] = [];
            while (records.length < cut) {
              const { records: some, ended } = await reader.poll(Math.min(97, cut - records.length));
              records.push(...some);
              if (ended) break;
            }
            await reader.close();
            expect(records.map(({ offset }) => offset)).toEqual(records.map((_, i) => read.length + i));
            read.push(...records.map((record) => json(record).n));
            position = {
              offset: read.length,
              sourceState: JSON.parse(JSON.stringify(reader.sourceStateOf?.(read.length))),
            };
          }
          expect(read).toEqual(sorted.map(({ n }) => n));
        },
      ),
      { numRuns: 8 },
    );
  });

  it('says the source state of any row that it gave, not only of the last', async () => {
    const source = queryOf({ sql: 'SELECT number AS n FROM numbers(50)', pageRowsMax: 20 });
    const reader = await open(source);
    await reader.poll(15);
    await reader.poll(15);
    for (const offset of [EARLIEST, 0, 1, 14, 15, 19, 20]) {
      const rest = await readAll(await open(source, offset, reader.sourceStateOf?.(offset)));
      expect(rest.map((record) => json(record).n)).toEqual(
        Array.from({ length: 50 - Math.max(0, offset) }, (_, i) => String(i + Math.max(0, offset))),
      );
    }
    const unplaced = await readAll(await open(source, 33)); // an offset that somebody chose
    expect(unplaced.map(({ offset }) => offset)).toEqual(Array.from({ length: 17 }, (_, i) => 33 + i));
  });

  it('ends where the rows ended as it was first opened, after a restart too', async () => {
    const table = tableName();
    await db.command(`CREATE TABLE ${table} (n UInt32) ENGINE = MergeTree ORDER BY n`);
    const empty = await open(queryOf({ sql: `SELECT n FROM ${table}` }));
    await db.command(`INSERT INTO ${table} SELECT number FROM numbers(10)`);
    expect(await readAll(empty)).toEqual([]);
    const source = queryOf({ sql: `SELECT n FROM ${table};`, pageRowsMax: 4 });
    const first = await open(source, EARLIEST, undefined, false);
    const sourceState = JSON.parse(JSON.stringify(first.sourceStateOf?.(EARLIEST)));
    await db.command(`INSERT INTO ${table} SELECT number FROM numbers(10, 5)`);
    expect(await readAll(first)).toHaveLength(10);
    expect(await readAll(await open(source, EARLIEST, sourceState, false))).toHaveLength(10);
    expect(await readAll(await open(source))).toHaveLength(15);
  });

  it('looks for further rows where it is told to, unless it is bounded', async () => {
    const table = tableName();
    await db.command(`CREATE TABLE ${table} (n UInt32) ENGINE = MergeTree ORDER BY n`);
    const source = queryOf({ sql: `SELECT n FROM ${table}`, every: millis(10) });
    const reader = await open(source, EARLIEST, undefined, false);
    const until = async (count: number) => {
      const read: number[] = [];
      while (read.length < count) {
        const { records, ended } = await reader.poll(3);
        expect(ended).toBe(false);
        read.push(...records.map((record) => json(record).n));
      }
      return read;
    };
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    for (const from of [0, 5]) {
      await db.command(`INSERT INTO ${table} SELECT number FROM numbers(${from}, 5)`);
      expect(await until(5)).toEqual([0, 1, 2, 3, 4].map((n) => from + n));
    }
    expect(reader.isBehind).toBe(false);
    const waiting = reader.poll(1);
    await reader.close();
    expect((await waiting).records).toEqual([]);
    await reader.close();
    expect(await readAll(await open(source))).toHaveLength(10);
  });

  it('gives numbers that JSON would round as text, times of ISO 8601, and a key', async () => {
    const sql = `SELECT toUInt64('18446744073709551615') AS n, toInt256(-7) AS i, toDecimal64('1.50', 2) AS price, nan AS x,
      toDateTime64('2001-02-03 04:05:06.789', 3, 'Europe/Rome') AS at, [toInt64(1)] AS list, 'a"_millrace":[1]' AS text, 'k' || text AS id`;
    const [record] = await readAll(await open(queryOf({ sql, key: 'id' })));
    expect(record && json(record)).toEqual({
      n: '18446744073709551615',
      i: '-7',
      price: '1.5',
      x: 'nan',
      at: '2001-02-03T03:05:06.789Z',
      list: ['1'],
      text: 'a"_millrace":[1]',
      id: 'ka"_millrace":[1]',
    });
    expect(Buffer.from(record?.key ?? []).toString()).toBe('ka"_millrace":[1]');
    expect(record?.offset).toBe(0);
  });

  it('takes a query that ends in a comment', async () => {
    expect((await readAll(await open(queryOf({ sql: 'SELECT 1 AS n -- the only one' })))).map(json)).toEqual([
      { n: 1 },
    ]);
  });

  describe('refuses', () => {
    it.each([
      [
        'rows that agree in their order',
        { sql: 'SELECT intDiv(number, 2) AS n FROM numbers(9)' },
        'source',
        /two rows are equal in n$/,
      ],
      ['a column that is not there', { sql: 'SELECT 1 AS m' }, 'config', /no column n/],
      ['nulls in the order', { sql: 'SELECT toNullable(1) AS n' }, 'config', /may be null/],
      ['an order by floats', { sql: 'SELECT 0.5 AS n' }, 'config', /cannot order rows/],
      ['what is no query', { sql: 'SELEC 1' }, 'source', /cannot read the query.*62/],
    ])('%s', async (_, given, code, message) => {
      const reading = (async () => readAll(await open(queryOf({ ...given, pageRowsMax: 2 }))))();
      await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message), permanent: true });
    });

    it('a table that is not there, with what may be wrong about it', async () => {
      await expect(open(queryOf({ sql: 'SELECT n FROM nowhere' }))).rejects.toMatchObject({
        permanent: true,
        hint: 'is the name right, and the database that the URL names?',
      });
    });

    it('a source state in another order', async () => {
      const sourceState = { orderBy: ['m'], after: ['1'], bound: ['2'] };
      await expect(open(queryOf({ sql: 'SELECT 1 AS n' }), 1, sourceState)).rejects.toMatchObject({
        code: 'source',
        message: 'the checkpoint has a position in the order of m',
      });
    });
  });

  it('is an input of a topology, whose checkpoint has its source state', async () => {
    const memory = new MemoryProfile(1);
    const source = clickhouse.querySource<{ n: string; at: string }>({
      name: 'numbers',
      sql: 'SELECT number AS n, toDateTime64(number * 60, 3) AS at FROM numbers(500)',
      orderBy: ['n'],
      eventTime: ({ at }) => Date.parse(at),
      pageRowsMax: 64,
    });
    const profile = Object.assign(Object.create(memory) as MemoryProfile, { sources: { clickhouse: db.source } });
    const sink = { connector: 'memory', kind: 'memory.sink', settings: {}, options: {} } as const;
    const flow = topology('flow', { deadLetters: sink }, (t) => t.source('numbers', source).to('out', sink));
    const clock = new VirtualClock();
    const run = async () => {
      await (await runTopology(flow, { profile, inference: noInference, bounded: true, clock, roundMax: 50 })).finished;
    };
    await run();
    const written = memory.outputOf('out');
    expect(written.map(({ value }) => (value as { n: string }).n)).toEqual(
      Array.from({ length: 500 }, (_, n) => `${n}`),
    );
    expect(written[7]?.origin).toMatchObject({ topic: 'numbers', offset: 7, eventTimeMs: 420_000 });
    expect(memory.checkpointOf(0)?.positions.numbers).toMatchObject({
      offset: 500,
      sourceState: { after: ['499'], bound: ['499'], orderBy: ['n'] },
    });
    await run();
    expect(memory.outputOf('out')).toHaveLength(500);
  });
}
