import type { Client } from 'pg';
import { messageOf } from '../../src/core/errors.js';

export interface ConnectionOptions {
  readonly url: string;
  /** How long a statement may take before it is given up and tried again. */
  readonly statementMs: number;
  /** What the server calls its sessions; those of one name do the same work. */
  readonly name?: string;
}

/** Runs one statement. */
export type Run = <R>(sql: string, values?: readonly unknown[]) => Promise<readonly R[]>;

const CONNECT_MS = 5_000;

/**
 * Ends sessions of a name that have been at the same thing for longer than any statement may take. Where half a message has
 * arrived the server waits for the rest of it under no time-out, and holds its locks meanwhile.
 */
const END_STUCK = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = current_setting('application_name') AND usename = current_user AND state <> 'idle'
    AND pid <> pg_backend_pid() AND now() - state_change > $1 * interval '1 ms'`;

/**
 * One connection, opened when it is needed and opened anew after any failure: what a broken one still answers is never
 * taken for an answer to something else.
 */
export class Connection {
  private client: Promise<Client> | undefined;
  private closed = false;
  /** A statement took too long: what it waited for may be a session that nobody speaks to any more. */
  private waited = false;

  constructor(private readonly options: ConnectionOptions) {}

  /** Does some work in one transaction: all of it or, where it throws, nothing. */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.use(async (run) => {
      await run('BEGIN');
      const result = await work(run);
      await run('COMMIT');
      return result;
    });
  }

  /** Does some work; once the signal says that nobody waits for it, the connection is broken off. */
  async use<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.closed || signal?.aborted) throw new Error('Connection terminated: nobody waits for it');
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
    await opened?.then((client) => client.end()).catch(() => undefined); // it never came to be
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
      // A process that sleeps in a transaction must not hold its fence for ever.
      idle_in_transaction_session_timeout: statementMs,
      keepAlive: true,
    });
    client.on('error', () => undefined); // whoever uses it next is told
    await client.connect();
    if (this.waited) await client.query(END_STUCK, [statementMs]);
    return client;
  }

  /** It is broken, a transaction is open in it, or it has an answer that nobody wants. */
  private drop(opened: Promise<Client>): void {
    if (this.client === opened) this.client = undefined;
    opened.then((client) => client.end()).catch(() => undefined); // it never came to be
  }
}

/** By the client's clock or by the server's: query_canceled. */
const isTimeout = (error: unknown): boolean =>
  /timeout/i.test(messageOf(error)) || (error as { code?: unknown } | null)?.code === '57014';
