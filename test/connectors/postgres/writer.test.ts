import { describe, expect, it } from 'vitest';
import type { Connection, Run } from '../../../connectors/postgres/connection.js';
import { ASKED, type TableOptions } from '../../../connectors/postgres/kinds.js';
import { Connections, rowsReader } from '../../../connectors/postgres/lookup-reader.js';
import { insertSql, setUpTable } from '../../../connectors/postgres/table.js';
import { TableWriter } from '../../../connectors/postgres/writer.js';
import { writtenRows } from '../../../connectors/postgres/written.js';
import type { Sink } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';

const TABLE: TableOptions = { table: 'app.out', columns: { id: 'bigint', note: 'text' }, key: ['id'] };
const context = { step: 'out', task: { topology: 'job', partition: 3 }, incarnation: 2 };
const signal = new AbortController().signal;

type Statement = readonly [sql: string, values: readonly unknown[] | undefined];
/** Runs statements that are answered like this. */
function runOf(answer: (sql: string, values: readonly unknown[]) => readonly unknown[] = () => []) {
  const ran: Statement[] = [];
  const run = (async (sql: string, values?: readonly unknown[]) => {
    ran.push([sql.replace(/\s+/g, ' ').trim(), values]);
    return answer(sql, values ?? []);
  }) as Run;
  return { run, ran };
}

describe('a writer of rows', () => {
  /** A server that keeps the fence of one task. */
  function opened(
    options: Partial<TableOptions> = {},
    stored: { incarnation: number; sources: object } = { incarnation: 0, sources: {} },
  ) {
    let { incarnation, sources } = stored;
    const { run, ran } = runOf((sql, values) => {
      if (sql.startsWith('UPDATE')) sources = JSON.parse(String(values[3]));
      if (!sql.includes('RETURNING')) return [];
      const given = Number(values[3]);
      if (incarnation < given) [incarnation, sources] = [given, {}];
      return [{ incarnation: String(incarnation), sources }];
    });
    let transactions = 0;
    const writer = new TableWriter({ ...TABLE, ...options }, context, (work) => {
      transactions += 1;
      return work(run);
    });
    const inserted = () => ran.filter(([sql]) => sql.startsWith('INSERT INTO "app"')).map(([, values]) => values);
    return { writer, ran, inserted, sources: () => sources, transactions: () => transactions };
  }
  const write = (writer: TableWriter, ids: readonly number[], offsets = ids) =>
    writer.write(
      ids.map((id) => ({ id, note: `n${id}`, more: 1 })),
      offsets.map((offset) => originAt(offset, 3)),
    );

  it('moves the fence of its task with the rows, in one transaction', async () => {
    const { writer, ran, inserted, sources, transactions } = opened();
    await write(writer, [1, 2]);
    await writer.prepare();
    expect(transactions()).toBe(1);
    expect(inserted()).toEqual([['{"1","2"}', '{"n1","n2"}']]);
    expect(sources()).toEqual({ 'contract/3': [2, 0] });
    expect(ran[0]?.[1]).toEqual(['job', 'out', 3, 2]);
    expect(ran.at(-1)).toEqual([
      'UPDATE millrace_fences SET sources = $4::jsonb WHERE topology = $1 AND step = $2 AND task = $3',
      ['job', 'out', 3, '{"contract/3":[2,0]}'],
    ]);
    await writer.prepare();
    expect(transactions()).toBe(1);
    await writer.close();
  });

  it('skips what is behind the fence, also within one record', async () => {
    const { writer, inserted, sources } = opened(
      {},
      { incarnation: 2, sources: { 'contract/3': [7, 1], other: [9, 9] } },
    );
    await write(writer, [1, 2, 3, 4, 5], [6, 7, 7, 7, 8]); // the third row of record 7 is new
    await writer.prepare();
    expect(inserted()).toEqual([['{"4","5"}', '{"n4","n5"}']]);
    expect(sources()).toEqual({ 'contract/3': [8, 0], other: [9, 9] });
    const behind = opened({}, { incarnation: 2, sources: { 'contract/3': [7, 1] } });
    await write(behind.writer, [1], [5]);
    await behind.writer.prepare();
    expect(behind.inserted()).toEqual([]);
  });

  it('begins anew in a new incarnation, and is fenced by a newer one', async () => {
    const older = opened({}, { incarnation: 1, sources: { 'contract/3': [7, 0] } });
    await write(older.writer, [1], [5]);
    await older.writer.prepare();
    expect(older.inserted()).toHaveLength(1);
    const newer = opened({}, { incarnation: 3, sources: {} });
    await write(newer.writer, [1]);
    await expect(newer.writer.prepare()).rejects.toMatchObject({ code: 'fenced' });
    expect(newer.inserted()).toEqual([]);
  });

  it('writes of each key the last row, and all rows where there is no key', async () => {
    const rows = [1, 2, 1, 3];
    const keyed = opened();
    keyed.writer.write(
      rows.map((id, n) => ({ id, note: `${n}` })),
      rows.map((_, n) => originAt(n, 3)),
    );
    await keyed.writer.prepare();
    expect(keyed.inserted()).toEqual([['{"2","1","3"}', '{"1","2","3"}']]);
    const free = opened({ key: [] });
    await write(free.writer, rows, [0, 1, 2, 3]);
    await free.writer.prepare();
    expect(free.inserted()).toEqual([['{"1","2","1","3"}', '{"n1","n2","n1","n3"}']]);
    const both = opened({ key: ['note', 'id'] });
    await write(both.writer, [1, 11, 1], [0, 1, 2]);
    await both.writer.prepare();
    expect(both.inserted()).toEqual([['{"11","1"}', '{"n11","n1"}']]);
  });

  it('sends keys that are written differently in the order of their last rows', async () => {
    const { writer, inserted } = opened();
    const ids = ['7', '007', '7'];
    await writer.write(
      ids.map((id, n) => ({ id, note: `${n}` })),
      ids.map((_, n) => originAt(n, 3)),
    );
    await writer.prepare();
    expect(inserted()).toEqual([['{"007","7"}', '{"1","2"}']]);
  });

  it('takes 2,000 rows a transaction, and lets the caller wait for those that are too many', async () => {
    const { writer, inserted } = opened();
    const range = Array.from({ length: 10_000 }, (_, n) => n);
    expect(write(writer, range.slice(0, 9_999))).toBeUndefined();
    await write(writer, [9_999]);
    await writer.prepare();
    expect(inserted().map((values) => String(values?.[0]).split(',').length)).toEqual([
      2_000, 2_000, 2_000, 2_000, 2_000,
    ]);
  });

  it('writes nothing of what it has no value for', async () => {
    const { writer, inserted } = opened({ key: [] });
    await writer.write([null, { id: 1 }], [originAt(1, 3), originAt(2, 3)]);
    await writer.prepare();
    expect(inserted()).toEqual([['{NULL,"1"}', '{NULL,NULL}']]);
    expect(writer.unrepresentable({ id: 'x' })).toContain('column id (bigint)');
  });
});

describe('a table', () => {
  it('is made as it is declared, by one process at a time', async () => {
    const { run, ran } = runOf((sql) =>
      sql.includes('pg_attribute') ? [{ name: 'id' }, { name: 'note' }, { name: 'more' }] : [],
    );
    await setUpTable(run, TABLE);
    expect(ran[0]?.[0]).toMatch(/^SELECT pg_advisory_xact_lock\(\d+\)$/);
    expect(ran[1]?.[0]).toContain('CREATE TABLE IF NOT EXISTS millrace_fences');
    expect(ran[2]?.[0]).toBe('CREATE TABLE IF NOT EXISTS "app"."out" ("id" bigint, "note" text, PRIMARY KEY ("id"))');
    expect(ran[3]?.[1]).toEqual(['"app"."out"']);
    const free = runOf((sql) => (sql.includes('pg_attribute') ? [{ name: 'id' }, { name: 'note' }] : []));
    await setUpTable(free.run, { ...TABLE, table: 'out', key: [] });
    expect(free.ran[2]?.[0]).toBe('CREATE TABLE IF NOT EXISTS "out" ("id" bigint, "note" text)');
  });

  it('that lacks columns is refused, with the statement that adds them', async () => {
    const { run } = runOf((sql) => (sql.includes('pg_attribute') ? [{ name: 'other' }] : []));
    await expect(setUpTable(run, TABLE)).rejects.toMatchObject({
      ...{ code: 'config', where: 'app.out', permanent: true, message: 'table app.out lacks id, note' },
      hint: 'run `ALTER TABLE "app"."out" ADD COLUMN "id" bigint, ADD COLUMN "note" text`, or choose another table',
    });
  });

  it.each([
    [[], ''],
    [['id', 'note'], ' ON CONFLICT ("id", "note") DO NOTHING'],
  ])('with the key %o is written to by a column at a time', (key, conflict) => {
    expect(insertSql({ ...TABLE, key })).toBe(
      `INSERT INTO "app"."out" ("id", "note") SELECT * FROM unnest($1::bigint[], $2::text[])${conflict}`,
    );
  });

  it('lets the server find the newest row of each key, because its text may differ', () => {
    const columns = { note: 'text', id: 'bigint', at: 'date' };
    expect(insertSql({ table: 'out', columns, key: ['at', 'id'] })).toBe(
      'INSERT INTO "out" ("note", "id", "at") SELECT DISTINCT ON (c3, c2) c1, c2, c3 ' +
        'FROM unnest($1::text[], $2::bigint[], $3::date[]) WITH ORDINALITY AS given(c1, c2, c3, place) ' +
        'ORDER BY c3, c2, place DESC ON CONFLICT ("at", "id") DO UPDATE SET "note" = EXCLUDED."note"',
    );
  });
});

it('that numbers its rows itself is written to by what its columns hold', () => {
  const columns = { a: 'serial', b: 'BIGSERIAL', c: 'smallserial', d: 'int' };
  expect(insertSql({ ...TABLE, columns })).toContain('unnest($1::integer[], $2::bigint[], $3::smallint[], $4::int[])');
});

describe('what a sink wrote', () => {
  const place = { id: 'verify' } as never;
  const sink = { options: TABLE } as Sink<unknown>;
  async function read(ordered: boolean, options: TableOptions, answer: Parameters<typeof runOf>[0]) {
    const { run, ran } = runOf(answer);
    const output = await writtenRows({ query: run }).read({ options } as Sink<unknown>, place, ordered);
    const entries: unknown[] = [];
    for await (const entry of output.entries()) entries.push(entry);
    return { output, entries, ran };
  }
  const tables = (sql: string) => (sql.includes('pg_tables') ? [{ name: 'out_1' }, { name: 'out_0' }] : undefined);

  it('is read table by table, each row as often as it is there', async () => {
    const { output, entries, ran } = await read(true, TABLE, (sql) => tables(sql) ?? [{ _row: '{"id":1}', times: 2 }]);
    expect([output.how, output.sorted]).toEqual(['in any order', true]);
    const row = (task: string) => ({ id: '{"id":1}', sort: `${task}/{"id":1}`, digest: '', at: '{"id":1}' });
    expect(entries).toEqual([row('0'), row('0'), row('1'), row('1')]);
    expect(await output.show?.('{"id":1}')).toEqual({ id: 1 });
    expect(ran[0]?.[1]).toEqual(['app', '^out_[0-9]+$']);
    expect(ran[1]?.[0]).toContain('SELECT row_to_json(t)::text COLLATE "C" AS _row FROM "app"."out_0" AS t');
    const plain = await read(true, { ...TABLE, table: 'out' }, (sql) => tables(sql) ?? []);
    expect(plain.ran[0]?.[1]).toEqual([null, '^out_[0-9]+$']);
    expect(plain.ran[1]?.[0]).toContain('FROM "out_0" AS t');
  });

  it('is compared by its keys where clocks decided which row came last, if it has keys', async () => {
    const keys = await read(false, TABLE, (sql) => tables(sql) ?? []);
    expect(keys.output.how).toBe('keys only');
    expect(keys.ran[1]?.[0]).toContain('json_build_array("id")::text');
    expect((await read(false, { ...TABLE, key: [] }, (sql) => tables(sql) ?? [])).output.how).toBe('in any order');
    expect((await read(true, TABLE, (sql) => tables(sql) ?? [])).output.how).toBe('in any order');
  });

  it('is read page by page', async () => {
    const page = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => ({ _row: `${from + n}`, times: 1 }));
    const { entries, ran } = await read(true, TABLE, (sql, [last]) => {
      if (sql.includes('pg_tables')) return [{ name: 'out_0' }];
      return last === null ? page(10_000, 10_000) : page(20_000, 5);
    });
    expect(entries).toHaveLength(10_005);
    expect(ran.slice(1).map(([, values]) => values)).toEqual([[null], ['19999']]);
  });

  it('is removed, with the fences of its isolated run', async () => {
    for (const there of [true, false]) {
      const { run, ran } = runOf((sql) => tables(sql) ?? (sql.includes('to_regclass') ? [{ there }] : []));
      await writtenRows({ query: run }).remove(sink, place);
      expect(ran.filter(([sql]) => /^(DROP|DELETE)/.test(sql))).toEqual([
        ['DROP TABLE IF EXISTS "app"."out_0"', undefined],
        ['DROP TABLE IF EXISTS "app"."out_1"', undefined],
        ...(there ? [['DELETE FROM millrace_fences WHERE topology LIKE $1', ['verify.%']]] : []),
      ]);
    }
  });
});

describe('a lookup of rows', () => {
  const ROWS = [
    { [ASKED]: 1, name: 'a' },
    { [ASKED]: 3, name: 'c' },
  ];
  /** Connections that answer like this; how many were made, and closed. */
  function pool(answer: (keys: readonly string[]) => readonly unknown[] | Promise<readonly unknown[]>) {
    const made: { closed: boolean }[] = [];
    const connections = new Connections(() => {
      const own = { closed: false };
      made.push(own);
      const connection: Partial<Connection> = {
        use: async (work) =>
          work((async (_sql: string, values: readonly unknown[]) => answer((values?.[0] ?? []) as string[])) as Run),
        close: async () => {
          own.closed = true;
        },
      };
      return connection as Connection;
    });
    return { connections, made };
  }

  it('gives the row of each key, and says which are missing', async () => {
    const { connections } = pool(() => ROWS);
    const reader = rowsReader({ sql: 'SELECT', decode: undefined } as never, connections, 'postgres://db');
    expect(await reader.get(['x', 'y', 'z'], signal)).toEqual([
      ...[{ kind: 'found', value: { name: 'a' } }, { kind: 'missing' }, { kind: 'found', value: { name: 'c' } }],
    ]);
    expect(reader.keysMax).toBe(10_000);
    await reader.ping();
    const decoding = rowsReader(
      { sql: 'SELECT', decode: (row: { name: string }) => row.name } as never,
      connections,
      'db',
    );
    expect((await decoding.get(['x'], signal))[0]).toEqual({ kind: 'found', value: 'a' });
  });

  it('refuses the key that the database cannot take, and answers for the others', async () => {
    const { connections } = pool((keys) => {
      if (keys.includes('bad')) throw Object.assign(new Error('invalid input syntax: "bad"'), { code: '22P02' });
      return keys.map((name, i) => ({ [ASKED]: i + 1, name }));
    });
    const reader = rowsReader({ sql: 'SELECT', decode: undefined } as never, connections, 'db');
    expect(await reader.get(['a', 'bad', 'c'], signal)).toEqual([
      { kind: 'found', value: { name: 'a' } },
      { kind: 'refused', detail: 'cannot look rows up: invalid input syntax: "..." (22P02)' },
      { kind: 'found', value: { name: 'c' } },
    ]);
    const broken = pool(() => {
      throw Object.assign(new Error('no rights'), { code: '42501' });
    });
    const refused = rowsReader({ sql: 'SELECT', decode: undefined } as never, broken.connections, 'db').get(
      ['a'],
      signal,
    );
    await expect(refused).rejects.toMatchObject({ code: 'lookup', where: 'db', permanent: true });
  });

  it('has as many connections as requests in flight, and uses them again', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { connections, made } = pool(async () => {
      await held;
      return [];
    });
    const reader = rowsReader({ sql: 'SELECT', decode: undefined } as never, connections, 'db');
    const both = [reader.get(['a'], signal), reader.get(['b'], signal)];
    release();
    await Promise.all(both);
    await reader.get(['c'], signal);
    expect(made).toHaveLength(2);
    await reader.close();
    expect(made.map(({ closed }) => closed)).toEqual([true, true]);
  });
});
