import type { Client } from 'pg';
import { messageOf } from '../../src/core/errors.js';

export interface ConnectionOptions {
  readonly url: string;
  /** How long a statement may take before it is cancelled and retried. */
  readonly statementMs: number;
  /** The application name of the sessions. Sessions with one name do the same work. */
  readonly name?: string;
}

/** Runs one statement. */
export type Run = <R>(sql: string, values?: readonly unknown[]) => Promise<readonly R[]>;

const CONNECT_MS = 5_000;

/**
 * Terminates sessions of a name that have been busy for longer than a statement may take. If only half of a message has arrived,
 * the server waits for the rest without a timeout and holds its locks.
 */
const END_STUCK = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = current_setting('application_name') AND usename = current_user AND state <> 'idle'
    AND pid <> pg_backend_pid() AND now() - state_change > $1 * interval '1 ms'`;

/**
 * One connection, opened on demand and replaced after any failure, so an answer of a broken connection is never taken for the
 * answer to another statement.
 */
export class Connection {
  private client: Promise<Client> | undefined;
  private closed = false;
  /** A statement timed out: it may wait for a session whose client is gone. */
  private waited = false;

  constructor(private readonly options: ConnectionOptions) {}

  /** Does some work in one transaction; if it throws, nothing is written. */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.use(async (run) => {
      await run('BEGIN');
      const result = await work(run);
      await run('COMMIT');
      return result;
    });
  }

  /** Does some work. If the signal aborts, nobody waits for it, and the connection is closed. */
  async use<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.closed || signal?.aborted) throw new Error('Connection terminated: the caller has given up');
    const opened = this.client ?? this.connect();
    this.client = opened;
    const drop = () => this.drop(opened);
    signal?.addEventListener('abort', drop, { once: true });
    try {
      const client = await opened;
      return await work(async (sql, values = []) => (await client.query(sql, [...values])).rows);
    } catch (error) {
      this.waited = isTimeout(error);
      drop();
      throw error;
    } finally {
      signal?.removeEventListener('abort', drop);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const opened = this.client;
    this.client = undefined;
    await opened?.then((client) => client.end()).catch(() => undefined); // it was never opened
  }

  private async connect(): Promise<Client> {
    const { default: pg } = await import('pg');
    const { url, statementMs, name = 'millrace' } = this.options;
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: statementMs,
      statement_timeout: statementMs,
      // A suspended process must not hold its fence for ever.
      idle_in_transaction_session_timeout: statementMs,
      keepAlive: true,
    });
    client.on('error', () => undefined); // the next caller gets the error
    await client.connect();
    if (this.waited) await client.query(END_STUCK, [statementMs]);
    return client;
  }

  /** Gives the connection up: it is broken, has an open transaction, or has an answer that nobody wants. */
  private drop(opened: Promise<Client>): void {
    if (this.client === opened) this.client = undefined;
    opened.then((client) => client.end()).catch(() => undefined); // it was never opened
  }
}

/** By the client's clock, or by the server's: query_canceled. */
const isTimeout = (error: unknown): boolean =>
  /timeout/i.test(messageOf(error)) || (error as { code?: unknown } | null)?.code === '57014';
