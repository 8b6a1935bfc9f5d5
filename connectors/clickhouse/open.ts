import type { SinkDriver } from '../../src/core/io.js';
import { type ClickHouseOptions, openClient } from './client.js';
import { statementsOf } from './statements.js';
import { tableSink } from './table-sink.js';

export type { ClickHouseOptions } from './client.js';

/** An engine: for sinks, and for SQL. */
export interface ClickHouse {
  readonly tableSink: SinkDriver;
  /** Rows as objects; 64-bit integers come as strings unless cast, as ClickHouse's JSON has them. */
  query<T>(sql: string): Promise<T[]>;
  command(sql: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens ClickHouse: a server by its address, or the same engine inside this process on a folder (one process a folder).
 *
 * The engine inside works on threads of libuv's pool: set `UV_THREADPOOL_SIZE` to 16 or so before Node starts, or file
 * reads wait for queries.
 *
 * @throws MillraceError `config` where the folder cannot be opened; `sink` where a statement is refused.
 * @example
 * const tables = await openClickHouse({ path: '.millrace/tables' });
 * await tables.query('SELECT count() AS flights FROM predictions');
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  const client = await openClient(options);
  const where = 'path' in options ? options.path : new URL(options.url).host;
  const statements = statementsOf(client, where);
  return {
    tableSink: tableSink(statements),
    query: statements.query,
    command: statements.command,
    close: () => client.close(),
  };
}
