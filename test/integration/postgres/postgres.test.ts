import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellOf } from '../../../connectors/postgres/cells.js';
import { type PostgresTableOptions, postgres } from '../../../connectors/postgres/index.js';
import { openPostgres, type Postgres } from '../../../connectors/postgres/open.js';
import { columnCheck } from '../../../connectors/postgres/unrepresentable.js';
import type { Sink, SinkWriter } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { fitting, unfitting } from '../../connectors/postgres/hostile-cells.js';
import { Between, freePort, PostgresServer } from './server.js';

let server: PostgresServer;
let direct: Postgres;
beforeAll(async () => {
  server = await PostgresServer.start();
  direct = openPostgres({ url: server.url });
}, 120_000);
afterAll(async () => {
  await direct?.close();
  await server?.stop();
});

let made = 0;
const fresh = () => `t${process.pid}_${made++}`;

interface Value {
  readonly id: number;
  readonly n: number;
}
const tableSink = (table: string, options: Partial<PostgresTableOptions<Value>> = {}) =>
  postgres.tableSink<Value>({ table, columns: { id: 'bigint', n: 'bigint' }, ...options }) as Sink<unknown>;

async function open(sink: Sink<unknown>, through = direct, incarnation = 0, partition = 0): Promise<SinkWriter> {
  const { table } = sink.options as { table: string };
  await through.tableSink.setUp?.(sink, { topology: table, step: 'out', partitions: 1 });
  return through.tableSink.open(sink, { step: 'out', task: { topology: table, partition }, incarnation });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function put(writer: SinkWriter, numbers: readonly number[], keys = 1_000_000): Promise<void> {
  await writer.write(
    numbers.map((n) => ({ id: n % keys, n })),
    numbers.map((n) => originAt(n)),
  );
}

const numbersIn = (table: string): number[] =>
  server.query(`SELECT n FROM ${table} ORDER BY n`).map(([n]) => Number(n));

describe('postgres.tableSink keeps the contract of sinks', () => {
  for (const key of [[], ['id']] as const) {
    const checks = sinkContract('idempotent', async () => {
      const table = fresh();
      const { tableSink: driver } = direct;
      return {
        driver: {
          ...driver,
          open: (sink: Sink<unknown>, context: Parameters<typeof driver.open>[1]) =>
            driver.open(sink, { ...context, task: { ...context.task, topology: table } }),
        },
        sink: tableSink(table, { key }),
        openLedger: memoryLedgers(),
        value: (n: number) => ({ id: n, n }),
        visible: async () => numbersIn(table),
        close: async () => undefined,
      };
    });
    for (const { name, run } of checks) it(`${name}, ${key.length === 0 ? 'adding rows' : 'by key'}`, run);
  }
});

it('refuses a task without a checkpoint that has a fence, and names the statement that removes it', async () => {
  const table = fresh();
  const sink = tableSink(table);
  const writer = await open(sink);
  const context = { step: 'out', task: { topology: table, partition: 0 }, incarnation: 0 };
  await direct.tableSink.refuseFences?.(sink, context);
  await put(writer, [1, 2]);
  await writer.prepare?.();
  await writer.close();
  const refused = await direct.tableSink.refuseFences?.(sink, context).catch((error: unknown) => error);
  const statement = `DELETE FROM millrace_fences WHERE topology = '${table}'`;
  expect(refused).toMatchObject({ code: 'config', permanent: true, hint: expect.stringContaining(statement) });
  server.query(statement);
  await direct.tableSink.refuseFences?.(sink, context);
});

type Comparable = (cell: string) => unknown;
const asDocument: Comparable = (cell) => JSON.parse(cell);

// Both sides as something that compares: what a reader finds, and the text that was written.
describe.each<[type: string, plain: unknown, read: Comparable, written?: Comparable]>([
  ['text', 'plain', String],
  ['bigint', 7, BigInt],
  ['double precision', 1.5, Number],
  ['numeric(30, 3)', 7, Number, (cell) => Number(Number(cell).toFixed(3)) || (cell === 'NaN' ? Number.NaN : 0)],
  ['timestamptz', 7, (cell) => new Date(cell).getTime()],
  ['boolean', true, (cell) => cell === 'true' || cell === '1'],
  ['jsonb', { a: 1 }, asDocument],
  ['json', { a: 1 }, asDocument],
])('hostile values in a column of Postgres: %s', (type, plain, read, written = read) => {
  const orNull = (of: Comparable, cell: string | null) => (cell === null ? null : of(cell));
  const checks = hostileValuesContract(async () => {
    const table = fresh();
    const { tableSink: driver } = direct;
    return {
      driver: {
        ...driver,
        open: (sink, context) => driver.open(sink, { ...context, task: { ...context.task, topology: table } }),
      },
      sink: postgres.tableSink<{ n: number; v: unknown }>({
        table,
        columns: { n: 'bigint', v: type },
      }) as Sink<unknown>,
      openLedger: memoryLedgers(),
      row: (n, v) => ({ n, v }),
      plain,
      async read() {
        const rows = await direct.query<{ n: string; v: string | null }>(`SELECT n::text, v::text FROM ${table}`);
        return new Map(rows.map(({ n, v }) => [Number(n), orNull(read, v)]));
      },
      stored: (value) => orNull(written, cellOf(type)(value)),
      close: async () => undefined,
    };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('a column of Postgres', () => {
  /** Rows of one column, written as the runtime does: what is unrepresentable goes elsewhere. */
  const write = async (type: string, values: readonly unknown[]) => {
    const table = fresh();
    const sink = postgres.tableSink<{ n: number; v: unknown }>({ table, columns: { n: 'bigint', v: type } });
    const writer = await open(sink as Sink<unknown>);
    const rows = values.map((v, n) => ({ n, v }));
    const kept = rows.filter((row) => writer.unrepresentable?.(row, originAt(0)) === undefined);
    await writer.write(
      kept,
      kept.map(({ n }) => originAt(n)),
    );
    await writer.prepare?.();
    await writer.close();
    return numbersIn(table);
  };

  it('takes what it has room for, beside what it has none for', async () => {
    for (const type of new Set([...fitting, ...unfitting].map(([each]) => each))) {
      const of = (list: typeof fitting) => list.filter(([each]) => each === type).map(([, value]) => value);
      expect([type, await write(type, [...of(unfitting), ...of(fitting)])]).toEqual([
        type,
        range(of(unfitting).length, of(unfitting).length + of(fitting).length),
      ]);
    }
  });

  it('refuses by itself what is said to be unrepresentable', async () => {
    const altered = /half of a surrogate|the value: |^a | characters$/; // never sent, or not refused by a cast
    for (const [type, value] of unfitting) {
      if (altered.test(columnCheck(type)(value) ?? '')) continue;
      const text = cellOf(type)(value);
      await expect([type, value, direct.query(`SELECT $1::${type}`, [text])][2]).rejects.toMatchObject({
        permanent: true,
      });
    }
  });
});

describe('postgres.tableSink', () => {
  it('keeps the newest row of each key', async () => {
    const table = fresh();
    const writer = await open(tableSink(table, { key: ['id'] }));
    await put(writer, range(0, 10_000), 100);
    await writer.prepare?.();
    await writer.close();
    expect(numbersIn(table)).toEqual(range(9_900, 10_000));
  });

  it.each<[type: string, ...spellings: unknown[]]>([
    ['bigint', 7, '007', '7', '+7'],
    ['numeric', '1', '1.0', 1, '1.00'],
    ['numeric(6, 2)', '1.001', '1', '1.004'],
    ['real', 0.1, 0.10000000001],
    ['double precision', '0', '-0'],
    ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'],
    ['timestamptz', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z', '2026-01-01T01:00:00+01'],
    ['date', Date.UTC(2026, 0, 1, 1), Date.UTC(2026, 0, 1, 2), '2026-01-01'],
    ['char(4)', 'a', 'a '],
    ['jsonb', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['boolean', true, 'yes', 1],
  ])('keeps the newest row of a key that is written differently: %s', async (type, ...spellings) => {
    const table = fresh();
    const sink = postgres.tableSink<{ k: unknown; part: number; n: number }>({
      table,
      columns: { n: 'bigint', k: type, part: 'integer' },
      key: ['part', 'k'],
    });
    const writer = await open(sink as Sink<unknown>);
    const rows = spellings.flatMap((k, n) => [
      { k, part: 0, n },
      { k, part: 1, n: 100 + n },
    ]);
    await writer.write(
      rows,
      rows.map((_, offset) => originAt(offset)),
    );
    await writer.prepare?.();
    await writer.close();
    expect(numbersIn(table)).toEqual([spellings.length - 1, 99 + spellings.length]);
  });

  it('writes values of every kind as Postgres has them', async () => {
    const table = fresh();
    const columns = {
      t: 'text',
      f: 'double precision',
      b: 'boolean',
      at: 'timestamptz',
      ms: 'timestamptz',
      j: 'jsonb',
      raw: 'bytea',
      big: 'bigint',
      d: 'numeric(12, 2)',
      none: 'text',
    };
    const sink = postgres.tableSink<Record<keyof typeof columns, unknown>>({ table, columns }) as Sink<unknown>;
    const writer = await open(sink);
    const at = new Date('2026-11-26T04:00:00.123Z');
    const value = {
      t: `a'b"c,{}\\ü\n€`,
      f: Number.NaN,
      b: true,
      at,
      ms: at.getTime(),
      j: { a: [1, 'x"', null], big: 5n },
      raw: Buffer.from([0, 255]),
      big: 2n ** 62n,
      d: '12.30',
      none: undefined,
    };
    await writer.write([value], [originAt(0)]);
    await writer.prepare?.();
    await writer.close();
    const [row] = server.query(
      `SELECT encode(convert_to(t, 'UTF8'), 'hex'), f, b, extract(epoch FROM at) * 1000 = extract(epoch FROM ms) * 1000,
        (extract(epoch FROM at) * 1000)::bigint, j, encode(raw, 'hex'), big, d, none IS NULL FROM ${table}`,
    );
    expect(row).toEqual([
      Buffer.from(value.t).toString('hex'),
      'NaN',
      't',
      't',
      String(at.getTime()),
      '{"a": [1, "x\\"", null], "big": "5"}',
      '00ff',
      String(2n ** 62n),
      '12.30',
      't',
    ]);
  });

  it('writes each value of a record once, also where the crash came between them', async () => {
    const table = fresh();
    const sink = tableSink(table);
    const values = range(0, 6).map((n) => ({ id: n, n }));
    const origins = values.map(() => originAt(4));
    const first = await open(sink);
    await first.write(values.slice(0, 3), origins.slice(0, 3));
    await first.prepare?.();
    const second = await open(sink);
    await second.write(values, origins);
    await second.prepare?.();
    expect(numbersIn(table)).toEqual(range(0, 6));
  });

  it('has a fence for each task and input, and lets a newer incarnation begin anew', async () => {
    const table = fresh();
    const sink = tableSink(table);
    const old = await open(sink);
    await put(old, range(50, 60));
    await old.prepare?.();
    const other = await open(sink, direct, 0, 1);
    await put(other, range(0, 5));
    await other.prepare?.();
    const restored = await open(sink, direct, 1);
    await put(restored, range(50, 52));
    await restored.prepare?.();
    expect(numbersIn(table)).toEqual([...range(0, 5), 50, 50, 51, 51, ...range(52, 60)]);
    await put(old, [60]);
    await expect(old.prepare?.()).rejects.toMatchObject({ code: 'fenced' });
  });

  it('loses and doubles nothing while connections are cut and answers are lost', async () => {
    const table = fresh();
    const between = await Between.open(server.port);
    const through = openPostgres({ url: server.urlAt(between.port) });
    const writer = await open(tableSink(table), through);
    let cutting = true;
    const cuts = (async () => {
      for (let i = 0; cutting; i++) {
        if (i % 3 === 0) between.loseAnswerTo = /COMMIT/;
        else if (i % 3 === 1) between.loseAnswerTo = /INSERT/;
        else between.cut();
        await sleep(200);
      }
    })();
    for (let at = 0; at < 60_000; at += 500) await put(writer, range(at, at + 500));
    cutting = false;
    await cuts;
    between.loseAnswerTo = /COMMIT/;
    await put(writer, range(60_000, 60_001));
    await writer.prepare?.();
    expect(between.lost).toBeGreaterThan(1);
    expect(numbersIn(table)).toEqual(range(0, 60_001));
    await through.close();
    await between.close();
  });

  it('waits for a server that was killed, and goes on where it left off', async () => {
    const table = fresh();
    const writer = await open(tableSink(table));
    await put(writer, range(0, 3_000));
    await writer.prepare?.();
    await server.kill();
    await put(writer, range(3_000, 6_000));
    const prepared = writer.prepare?.();
    await sleep(500);
    await server.run();
    await prepared;
    expect(numbersIn(table)).toEqual(range(0, 6_000));
    await writer.close();
  });

  it('gives up a statement that is not answered, and tries it again', async () => {
    const table = fresh();
    const between = await Between.open(server.port);
    const through = openPostgres({ url: server.urlAt(between.port), statementMs: 700 });
    const writer = await open(tableSink(table), through);
    between.stalled = true;
    await put(writer, range(0, 10));
    const prepared = writer.prepare?.();
    await sleep(300);
    between.stalled = false;
    await prepared;
    expect(numbersIn(table)).toEqual(range(0, 10));
    await through.close();
    await between.close();
  });

  it('says what a table refuses, at once and without the row', async () => {
    const table = fresh();
    server.query(`CREATE TABLE ${table} (id bigint, n bigint CHECK (n < 100))`);
    const writer = await open(tableSink(table));
    await put(writer, [1, 2, 100]);
    const error = await writer.prepare?.().catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'sink', permanent: true, message: expect.stringContaining('23514') });
    expect(numbersIn(table)).toEqual([]); // the transaction as a whole
    const unrepresentable = await open(
      postgres.tableSink<{ id: string }>({ table: fresh(), columns: { id: 'bigint' } }) as Sink<unknown>,
    );
    await unrepresentable.write([{ id: 'no number' }], [originAt(0)]);
    await expect(unrepresentable.prepare?.()).rejects.toMatchObject({ code: 'sink', permanent: true });
  });

  it('ends for good where a key is longer than an index takes', async () => {
    const sink = postgres.tableSink<{ id: string; n: number }>({
      table: fresh(),
      columns: { id: 'text', n: 'bigint' },
      key: ['id'],
    });
    const writer = await open(sink as Sink<unknown>);
    await writer.write([{ id: randomBytes(20_000).toString('base64'), n: 1 }], [originAt(0)]);
    await expect(writer.prepare?.()).rejects.toMatchObject({
      code: 'sink',
      permanent: true,
      message: expect.stringContaining('54000'),
    });
  });

  it('names the columns that a table lacks, and the statement that adds them', async () => {
    const table = fresh();
    server.query(`CREATE TABLE ${table} (id bigint)`);
    await expect(open(tableSink(table))).rejects.toMatchObject({
      code: 'config',
      hint: expect.stringContaining(`ALTER TABLE "${table}" ADD COLUMN "n" bigint`),
    });
  });

  it('is set up by many processes at once', async () => {
    const table = fresh();
    const sink = tableSink(table, { key: ['id'] });
    const many = Array.from({ length: 8 }, () => openPostgres({ url: server.url }));
    await Promise.all(many.map((one) => one.tableSink.setUp?.(sink, { topology: 't', step: 's', partitions: 1 })));
    await Promise.all(many.map((one) => one.close()));
    expect(server.query(`SELECT count(*) FROM ${table}`)).toEqual([['0']]);
  });

  it('tells no password when nobody answers', async () => {
    const port = await freePort();
    const url = `postgres://me:secret@127.0.0.1:${port}/shop`;
    const gone = openPostgres({ url, attemptsMax: 2 });
    const failure = await open(tableSink('x'), gone).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'sink', permanent: false });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('secret');
    await expect(gone.tableSink.ping?.()).rejects.toThrow();
  });
});

describe('postgres.tableLookup', () => {
  const ask = async (from: Parameters<Postgres['lookup']['open']>[0], keys: readonly string[], through = direct) => {
    const reader = await through.lookup.open(from, 'step');
    try {
      return await reader.get(keys, new AbortController().signal);
    } finally {
      await reader.close();
    }
  };

  it('answers keys of a type, refuses those of another form alone, and knows what is missing', async () => {
    const table = fresh();
    server.query(`CREATE TABLE ${table} (id bigint, tier text, since timestamptz)`);
    server.query(
      `INSERT INTO ${table} VALUES (1, 'gold', '2020-01-01Z'), (2, NULL, NULL), (9007199254740993, 'x', NULL)`,
    );
    const rows = postgres.tableLookup({ table, key: 'id', keyType: 'bigint', columns: ['tier'] });
    expect(await ask(rows, ['1', '2', '3', 'x', '9007199254740993'])).toEqual([
      { kind: 'found', value: { id: '1', tier: 'gold' } },
      { kind: 'found', value: { id: '2', tier: null } },
      { kind: 'missing' },
      { kind: 'refused', detail: expect.stringContaining('22P02') },
      { kind: 'found', value: { id: '9007199254740993', tier: 'x' } },
    ]);
    const decode = ({ tier }: { tier: string | null }) => {
      if (tier === null) throw new Error('no tier');
      return tier;
    };
    expect(
      await ask(postgres.tableLookup({ table, key: 'id', keyType: 'bigint', columns: ['tier'], decode }), ['1', '2']),
    ).toEqual([
      { kind: 'found', value: 'gold' },
      { kind: 'refused', detail: 'the value cannot be decoded: no tier' },
    ]);
  });

  it('finds a row however its key is written, and shows no key in what it says', async () => {
    const table = fresh();
    server.query(`CREATE TABLE ${table} (id uuid, n bigint)`);
    server.query(`INSERT INTO ${table} VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 7)`);
    const byId = postgres.tableLookup({
      table,
      key: 'id',
      keyType: 'uuid',
      columns: ['n'],
      decode: ({ n }: { n: string }) => n,
    });
    expect(await ask(byId, ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'])).toEqual([
      { kind: 'found', value: '7' },
      { kind: 'found', value: '7' },
    ]);
    const byNumber = postgres.tableLookup({ table, key: 'n', keyType: 'bigint', columns: [] });
    const [found, refused] = await ask(byNumber, ['007', 'very "secret" key']);
    expect(found).toEqual({ kind: 'found', value: { n: '7' } });
    expect(refused).toEqual({ kind: 'refused', detail: expect.not.stringContaining('secret') });
  });

  it('lets go of questions that nobody waits for, here and in the server', async () => {
    const table = fresh();
    server.query(
      `CREATE VIEW ${table} AS SELECT id::text, pg_sleep(60)::text AS slept FROM generate_series(1, 3) AS id`,
    );
    const through = openPostgres({ url: server.url });
    const reader = await through.lookup.open(postgres.tableLookup({ table, key: 'id', columns: ['slept'] }), 'step', {
      timeout: 400,
    });
    const running = () => {
      const others = `query LIKE '%${table}%' AND pid <> pg_backend_pid()`;
      return Number(server.query(`SELECT count(*) FROM pg_stat_activity WHERE ${others}`)[0]?.[0]);
    };
    for (let round = 0; round < 5; round++) {
      const given = [new AbortController(), new AbortController()];
      const asked = given.map(({ signal }) => reader.get(['1'], signal).catch((error: unknown) => error));
      await sleep(100);
      for (const each of given) each.abort();
      for (const failure of await Promise.all(asked))
        expect(failure).toMatchObject({ code: 'lookup', permanent: false });
    }
    expect(running()).toBeGreaterThan(0); // the server has not seen yet that these were broken off
    await expect.poll(running, { timeout: 2_000 }).toBe(0);
    await reader.close();
    await through.close();
  });

  it('fails while nobody answers, for good where there is no such table', async () => {
    const gone = openPostgres({ url: server.urlAt(await freePort()) });
    const rows = postgres.tableLookup({ table: 'no_such_table', key: 'id', columns: [] });
    await expect(ask(rows, ['1'], gone)).rejects.toMatchObject({ code: 'lookup', permanent: false });
    await expect(ask(rows, ['1'])).rejects.toMatchObject({ code: 'lookup', permanent: true });
  });
});
