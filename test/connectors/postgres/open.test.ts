import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../../connectors/postgres/connection.js';
import { examinePostgres } from '../../../connectors/postgres/examine.js';
import { ASKED } from '../../../connectors/postgres/kinds.js';
import { openPostgres } from '../../../connectors/postgres/open.js';
import { millis } from '../../../src/core/duration.js';
import type { Lookup } from '../../../src/core/lookup.js';
import type { Sink } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';

interface Options {
  readonly application_name: string;
  readonly statement_timeout: number;
  readonly query_timeout: number;
}
type Answer = (sql: string, values: readonly unknown[]) => readonly object[] | Error;

/** Sessions with a server that answers like this. */
const server: { answer: Answer; refuse: Error | undefined; sessions: Session[] } = {
  answer: () => [],
  refuse: undefined,
  sessions: [],
};
class Session {
  readonly sql: string[] = [];
  ended = false;
  constructor(readonly options: Options) {
    server.sessions.push(this);
  }
  on(): void {}
  async connect(): Promise<void> {
    if (server.refuse) throw server.refuse;
  }
  async query(sql: string, values: readonly unknown[]) {
    this.sql.push(sql);
    const answer = server.answer(sql, values);
    if (answer instanceof Error) throw answer;
    return { rows: answer };
  }
  async end(): Promise<void> {
    this.ended = true;
  }
}
vi.mock('pg', () => ({ default: { Client: Session } }));

beforeEach(() => {
  Object.assign(server, { answer: () => [], refuse: undefined, sessions: [] });
});
afterEach(() => {
  vi.useRealTimers();
});

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });
const url = 'postgres://ada:secret@db:5432/shop?sslmode=require';
const place = 'postgres://db:5432/shop';
const sink = { options: { table: 'out', columns: { id: 'bigint' }, key: [] } } as unknown as Sink<unknown>;
const context = { step: 'out', task: { topology: 'job', partition: 3 }, incarnation: 0 };
const ended = () => server.sessions.map((session) => session.ended);
const sqlOf = (n = 0) => server.sessions[n]?.sql ?? [];

describe('a connection', () => {
  it('is one for all work, with transactions that are committed', async () => {
    const connection = new Connection({ url, statementMs: 900, name: 'mine' });
    server.answer = (sql) => (sql === 'SELECT n' ? [{ n: 1 }] : []);
    expect(await connection.transaction((run) => run('SELECT n'))).toEqual([{ n: 1 }]);
    await connection.use((run) => run('SELECT 2', [1]));
    expect(sqlOf()).toEqual(['BEGIN', 'SELECT n', 'COMMIT', 'SELECT 2']);
    expect(server.sessions[0]?.options).toMatchObject({
      ...{ application_name: 'mine', query_timeout: 900, statement_timeout: 900, connectionString: url },
      idle_in_transaction_session_timeout: 900,
    });
    await connection.close();
    expect(ended()).toEqual([true]);
    await expect(connection.use(async () => 1)).rejects.toThrow('given up');
    expect(server.sessions).toHaveLength(1);
  });

  it('is replaced after any failure, also of the work itself', async () => {
    const connection = new Connection({ url, statementMs: 900 });
    await expect(connection.transaction(async () => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(sqlOf()).toEqual(['BEGIN']);
    await connection.use((run) => run('SELECT 1'));
    expect(ended()).toEqual([true, false]);
    expect(server.sessions[0]?.options.application_name).toBe('millrace');
    expect(sqlOf(1)).toEqual(['SELECT 1']);
    server.refuse = coded('ECONNREFUSED');
    await expect(new Connection({ url, statementMs: 900 }).use(async () => 1)).rejects.toThrow('ECONNREFUSED');
    await connection.close();
  });

  it.each([new Error('Query read timeout'), coded('57014', 'canceling statement')])(
    'ends sessions that hold it up after %s',
    async (timeout) => {
      const connection = new Connection({ url, statementMs: 900 });
      server.answer = () => timeout;
      await expect(connection.use((run) => run('SELECT 1'))).rejects.toThrow();
      server.answer = () => [];
      await connection.use((run) => run('SELECT 2'));
      expect(sqlOf(1)[0]).toContain('pg_terminate_backend');
      // Once: what fails next for another reason has waited for nobody.
      server.answer = () => coded('22003');
      await expect(connection.use((run) => run('SELECT 3'))).rejects.toThrow();
      server.answer = () => [];
      await connection.use((run) => run('SELECT 4'));
      expect(sqlOf(2)).toEqual(['SELECT 4']);
      await connection.close();
    },
  );

  it('is closed where nobody waits for it any more', async () => {
    const connection = new Connection({ url, statementMs: 900 });
    const giveUp = new AbortController();
    let answered: (rows: object[]) => void = () => undefined;
    const answer = new Promise<object[]>((resolve) => {
      answered = resolve;
    });
    const working = connection.use(() => answer, giveUp.signal);
    await vi.waitFor(() => expect(server.sessions).toHaveLength(1));
    await new Promise(setImmediate);
    giveUp.abort();
    await vi.waitFor(() => expect(ended()).toEqual([true]));
    answered([]);
    await working;
    await expect(connection.use(async () => 1, giveUp.signal)).rejects.toThrow('given up');
    await connection.use(async () => 1);
    expect(server.sessions).toHaveLength(2);
    const done = new AbortController();
    await connection.use(async () => 1, done.signal);
    done.abort(); // too late to mean it
    expect(ended()).toEqual([true, false]);
    await connection.close();
  });
});

describe('the drivers', () => {
  it('name the server without user, password and options', () => {
    expect(openPostgres({ url }).where).toBe(place);
    expect(() => openPostgres({ url: 'nowhere' })).toThrow(expect.objectContaining({ code: 'config' }));
  });

  it('try again what may pass, as often as they are told', async () => {
    let failures = 2;
    server.answer = (sql) =>
      sql === 'BEGIN' && failures-- > 0 ? coded('57P03') : sql.includes('pg_attribute') ? [{ name: 'id' }] : [];
    await openPostgres({ url, attemptsMax: 3 }).tableSink.setUp?.(sink, {
      topology: 'job',
      step: 'out',
      partitions: 1,
    });
    expect(ended()).toEqual([true, true, true]);
    failures = 2;
    await expect(
      openPostgres({ url, attemptsMax: 2 }).tableSink.setUp?.(sink, { topology: 'job', step: 'out', partitions: 1 }),
    ).rejects.toMatchObject({
      code: 'sink',
      where: place,
      permanent: false,
      message: 'cannot set up table out: 57P03 (57P03)',
    });
  });

  it('say what is refused for good, at once and without the value', async () => {
    server.answer = (sql) => (sql.includes('RETURNING') ? coded('22P02', 'invalid input syntax: "secret"') : []);
    const postgres = openPostgres({ url });
    const writer = await postgres.tableSink.open(sink, context);
    await writer.write([{ id: 1 }], [originAt(1)]);
    await expect(writer.prepare?.()).rejects.toMatchObject({
      ...{ code: 'sink', permanent: true, message: 'cannot write to table out: invalid input syntax: "..." (22P02)' },
    });
    expect(server.sessions).toHaveLength(1);
    await postgres.close();
    expect(ended()).toEqual([true]);
  });

  it('write over a session of the task, which is closed with the writer', async () => {
    const postgres = openPostgres({ url, statementMs: 700 });
    server.answer = (sql) => (sql.includes('RETURNING') ? [{ incarnation: '0', sources: {} }] : []);
    const long = { ...context, task: { topology: 'j'.repeat(80), partition: 3 } };
    for (const each of [context, long]) {
      const writer = await postgres.tableSink.open(sink, each);
      await writer.write([{ id: 1 }], [originAt(1)]);
      await writer.prepare?.();
      await writer.close();
    }
    expect(server.sessions.map(({ options }) => options.application_name)).toEqual([
      'millrace job/out/3',
      `millrace ${'j'.repeat(54)}`,
    ]);
    expect(server.sessions[0]?.options.statement_timeout).toBe(700);
    expect(ended()).toEqual([true, true]);
  });

  it('refuse fences of a topology that has no checkpoint', async () => {
    const { tableSink } = openPostgres({ url });
    await tableSink.refuseFences?.(sink, context);
    server.answer = (sql, values) =>
      sql.startsWith('SELECT 1 FROM millrace_fences') && values.join() === 'job,out,3' ? [{}] : [];
    await expect(tableSink.refuseFences?.(sink, context)).rejects.toMatchObject({
      hint: expect.stringContaining("DELETE FROM millrace_fences WHERE topology = 'job'"),
    });
    expect(ended()).toEqual([true, true]);
  });

  it('wait for a lookup no longer than it does', async () => {
    const postgres = openPostgres({ url, statementMs: 700 });
    server.answer = () => [{ [ASKED]: 1, name: 'a' }];
    const lookup = { options: { sql: 'SELECT', decode: undefined } } as unknown as Lookup<unknown>;
    const signal = new AbortController().signal;
    for (const [limits, ms] of [
      [undefined, 700],
      [{ timeout: millis(200) }, 200],
      [{ timeout: millis(900) }, 700],
    ] as const) {
      server.sessions = [];
      const reader = await postgres.lookup.open(lookup, 'step', limits);
      expect(await reader.get(['x'], signal)).toEqual([{ kind: 'found', value: { name: 'a' } }]);
      expect(server.sessions.map(({ options }) => options.statement_timeout)).toEqual([ms]);
      await reader.close();
      expect(ended()).toEqual([true]);
    }
  });

  it('answer tools, and are examined', async () => {
    const postgres = openPostgres({ url });
    server.answer = () => [{ version: '15.3', fsync: 'on', commits: 'on', nowMs: Date.now() }];
    expect(await postgres.query('SELECT 1')).toHaveLength(1);
    expect((await examinePostgres(postgres)).map(({ state, said }) => `${state}: ${said}`)).toEqual([
      'fine: Postgres 15.3',
      expect.stringContaining('clock'),
    ]);
    server.answer = () => [{ version: '15.3', fsync: 'off', commits: 'off', nowMs: Date.now() }];
    expect((await examinePostgres(postgres)).slice(2)).toMatchObject([
      { state: 'warning', said: 'fsync is off' },
      { state: 'warning', said: 'synchronous_commit is off' },
    ]);
    server.answer = () => [];
    expect(await examinePostgres(postgres)).toEqual([]);
    server.answer = () => coded('42501');
    await expect(postgres.query('SELECT 1')).rejects.toMatchObject({
      code: 'config',
      where: place,
      hint: expect.stringContaining('CREATE'),
    });
    await expect(postgres.tableSink.ping?.()).rejects.toThrow('42501');
    expect(ended()).not.toContain(false);
  });
});
