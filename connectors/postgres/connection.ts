import type { Client } from 'pg';

export interface ConnectionOptions {
  readonly url: string;
  /** How long a statement may take before it is given up and tried again. */
  readonly statementMs: number;
}

/** Runs one statement. */
export type Run = <R>(sql: string, values?: readonly unknown[]) => Promise<readonly R[]>;

const CONNECT_MS = 5_000;

/**
 * One connection, opened when it is needed and opened anew after any failure: what a broken one still answers is never
 * taken for an answer to something else.
 */
export class Connection {
  private client: Promise<Client> | undefined;
  private closed = false;

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

  async use<T>(work: (run: Run) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error('Connection terminated: it was closed');
    const opened = this.client ?? this.connect();
    this.client = opened;
    try {
      const client = await opened;
      return await work(async (sql, values = []) => (await client.query(sql, [...values])).rows);
    } catch (error) {
      this.forget(opened);
      opened.then((client) => client.end()).catch(() => undefined); // it is broken, or a transaction is open in it
      throw error;
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
    const { url, statementMs } = this.options;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'millrace',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: statementMs,
      statement_timeout: statementMs,
      // A process that sleeps in a transaction must not hold its fence for ever.
      idle_in_transaction_session_timeout: statementMs,
      keepAlive: true,
    });
    client.on('error', () => undefined); // whoever uses it next is told
    await client.connect();
    return client;
  }

  private forget(broken: Promise<Client>): void {
    if (this.client === broken) this.client = undefined;
  }
}
