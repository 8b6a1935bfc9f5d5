import { unknownFence } from '../../src/connect/fenced.js';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { LookupDriver } from '../../src/core/lookup.js';
import type { SinkContext, SinkDriver } from '../../src/core/sink.js';
import { requestBackOff, retry } from '../../src/util/retry.js';
import { Connection } from './connection.js';
import { explain, isPassing } from './errors.js';
import type { RowsOptions, TableOptions } from './kinds.js';
import { Connections, rowsReader } from './lookup-reader.js';
import { FENCES, setUpTable } from './table.js';
import { TableWriter, type Transaction } from './writer.js';

export interface PostgresOptions {
  /** `postgres://user:secret@host:5432/database`; `?sslmode=verify-full` for TLS. */
  readonly url: string;
  /** Tries of one transaction in all, with growing pauses: 10 by default, about twelve seconds if nothing answers. */
  readonly attemptsMax?: number;
  /** How long a statement may take, in milliseconds; 30 s by default. */
  readonly statementMs?: number;
}

export interface Postgres {
  /** The address without user, password and options. */
  readonly where: string;
  /** Tables; what a replay repeats has no effect. */
  readonly tableSink: SinkDriver;
  readonly lookup: LookupDriver;
  /** Runs one statement, for tools. */
  query<R>(sql: string, values?: readonly unknown[]): Promise<readonly R[]>;
  close(): Promise<void>;
}

/**
 * The drivers of `postgres.tableSink` and `postgres.tableLookup`. They connect at first use: each task has one connection per
 * table, and a lookup as many as it has requests in flight. The client is loaded then.
 *
 * Effectively once: rows and their fence change in one transaction, before the checkpoint is stored. A lost connection is retried;
 * the fence shows whether its last transaction was committed.
 *
 * @example
 * const postgres = openPostgres({ url: 'postgres://127.0.0.1:5432/shop' });
 */
export function openPostgres({ url, attemptsMax = 10, statementMs = 30_000 }: PostgresOptions): Postgres {
  const where = addressOf(url);
  const connections = new Set<{ close(): Promise<void> }>();
  const kept = <T extends { close(): Promise<void> }>(opened: T): T => {
    connections.add(opened);
    return opened;
  };
  const retrying = { ...requestBackOff, retriable: isPassing, attemptsMax };
  const transactionsOn =
    (connection: Connection, doing: string): Transaction =>
    async (work) => {
      try {
        return await retry(() => connection.transaction(work), retrying);
      } catch (error) {
        throw explain(error, doing, where);
      }
    };
  const once = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = new Connection({ url, statementMs });
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  };

  return {
    where,
    tableSink: {
      mode: 'idempotent',
      async setUp(sink) {
        const options = sink.options as TableOptions;
        const doing = `cannot set up table ${options.table}`;
        await once((connection) => transactionsOn(connection, doing)((run) => setUpTable(run, options)));
      },
      async open(sink, context) {
        const options = sink.options as TableOptions;
        const connection = kept(new Connection({ url, statementMs, name: sessionOf(context) }));
        const doing = `cannot write to table ${options.table}`;
        const writer = new TableWriter(options, context, transactionsOn(connection, doing));
        const { close } = writer;
        return Object.assign(writer, {
          async close() {
            await close.call(writer);
            connections.delete(connection);
            await connection.close();
          },
        });
      },
      async refuseFences(_, context) {
        const { task, step } = context;
        const sql = `SELECT 1 FROM ${FENCES} WHERE topology = $1 AND step = $2 AND task = $3`;
        const found = await once((connection) =>
          transactionsOn(
            connection,
            'cannot look for fences',
          )((run) => run(sql, [task.topology, step, task.partition])),
        );
        if (found.length === 0) return;
        throw unknownFence(context, where, `DELETE FROM ${FENCES} WHERE topology = '${task.topology}'`);
      },
      ping: () => once((connection) => connection.use(async (run) => void (await run('SELECT 1')))),
    },
    lookup: {
      async open({ options }, _step, limits) {
        // The server must cancel the statement as well: it does not notice that a connection is closed.
        const questionMs = Math.min(statementMs, limits?.timeout ?? statementMs);
        const pool = kept(new Connections(() => new Connection({ url, statementMs: questionMs })));
        const reader = rowsReader(options as RowsOptions, pool, where);
        return {
          ...reader,
          async close() {
            connections.delete(pool);
            await reader.close();
          },
        };
      },
    },
    async query(sql, values) {
      try {
        return await once((connection) => connection.use((run) => run(sql, values)));
      } catch (error) {
        throw explain(error, 'cannot ask', where, 'config');
      }
    },
    async close() {
      await Promise.all([...connections].map((connection) => connection.close()));
    },
  };
}

/** The name of a task's sessions; the server truncates longer ones. */
const sessionOf = ({ task, step }: SinkContext): string =>
  `millrace ${task.topology}/${step}/${task.partition}`.slice(0, 63);

/** The address without user, password and options. */
function addressOf(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch (cause) {
    throw new MillraceError('config', `the address of Postgres is not a URL: ${messageOf(cause)}`, {
      hint: 'for example postgres://host:5432/database',
    });
  }
}
