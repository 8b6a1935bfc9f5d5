import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkDriver } from '../../src/core/io.js';
import type { LookupDriver } from '../../src/core/look-up.js';
import { retry } from '../../src/core/retry.js';
import type { TableSinkOptions, UpsertTableOptions } from '../../src/core/sinks.js';
import { Batches } from './batches.js';
import { type ChdbOptions, openChdbEngine } from './chdb-engine.js';
import type { Engine, QueryParams } from './engine.js';
import { explain, isPassing } from './errors.js';
import { type HttpOptions, openHttpEngine } from './http-engine.js';
import { parseRows } from './json-rows.js';
import { clickHouseReader } from './look-up-reader.js';
import { metricsLayout, setUpTable, type TableLayout, tableLayout, upsertLayout } from './table.js';
import { UpsertWriter } from './upsert-writer.js';
import { MetricsWriter, type StoredIdentities, TableWriter } from './writer.js';

export interface CommonOptions {
  /** Rows of one insert: 20,000 by default. */
  readonly batchRows?: number;
  /** Tries of one statement in all, with growing waits in between: 10 by default, about twelve seconds where connections are refused. */
  readonly attemptsMax?: number;
}

/** A server by its URL, or the engine itself in this process by its folder. */
export type ClickHouseOptions = CommonOptions & (HttpOptions | ChdbOptions);

export interface ClickHouse {
  /** Tables, upserts and metrics; repeated writes have no effect. */
  readonly tableSink: SinkDriver;
  /** Serves `clickhouse.rows`. */
  readonly lookUp: LookupDriver;
  /**
   * The rows of a result; `{name:Type}` in the statement takes values from `params`.
   *
   * @throws MillraceError `sink` with what the engine says, and its number.
   */
  query<T>(sql: string, params?: QueryParams): Promise<T[]>;
  command(sql: string): Promise<void>;
  /** Writes the rows of a result into a Parquet file of this machine; an existing file is replaced. */
  exportParquet(sql: string, file: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a ClickHouse server (`url`), or the same engine in this process (`path`).
 *
 * A sink's rows are inserted in batches while the epoch runs and are all in the table before its checkpoint is stored.
 * A lost connection or a busy server is tried again; a row inserted twice replaces itself, since it carries the identity
 * of its record. Memory: at most three batches a task and table.
 *
 * @throws MillraceError `config` where the folder is held by another process.
 * @example
 * const tables = await openClickHouse({ url: 'http://127.0.0.1:8123' });
 * await tables.query<{ n: number }>('SELECT count() AS n FROM flights');
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  const { batchRows = 20_000, attemptsMax = 10 } = options;
  const engine = 'url' in options ? await openHttpEngine(options) : await openChdbEngine(options);
  const { where } = engine;
  const retrying = { retriable: isPassing, attemptsMax, waitMs: 50, waitMaxMs: 5_000, sleep, random: Math.random };

  const insert: Engine['insert'] = async (table, columns, body) => {
    try {
      await retry(() => engine.insert(table, columns, body), retrying);
    } catch (error) {
      throw explain(error, `cannot insert into ${table}`, where);
    }
  };
  const batches = ({ rows: table, columns, identity }: TableLayout) =>
    new Batches({ table, columns: [...Object.keys(columns), ...Object.keys(identity)], rowsMax: batchRows, insert });

  const storedIn =
    ({ rows }: TableLayout, incarnation: number): StoredIdentities =>
    async (source, from, to) => {
      const sql =
        `SELECT concat(toString(_offset), '/', toString(_n)) AS id FROM ${rows} WHERE _source = {source:String} ` +
        'AND _offset BETWEEN {from:UInt64} AND {to:UInt64} AND _incarnation >= {incarnation:UInt64}';
      try {
        const text = await retry(() => engine.query(sql, { source, from, to, incarnation }), retrying);
        return new Set(parseRows<{ id: string }>(text).map(({ id }) => id));
      } catch (error) {
        throw explain(error, `cannot look rows up in ${rows}`, where);
      }
    };

  const tableSink: SinkDriver = {
    mode: 'idempotent',
    async setUp(sink) {
      const layout = layoutOf(sink.kind, sink.options);
      try {
        await retry(() => setUpTable(engine, layout), retrying);
      } catch (error) {
        throw explain(error, `cannot set up table ${layout.view}`, where);
      }
    },
    async open(sink, { task, step, incarnation }) {
      const layout = layoutOf(sink.kind, sink.options);
      if (sink.kind === METRICS) return new MetricsWriter(batches(layout), incarnation);
      if (sink.kind === UPSERTS)
        return new UpsertWriter(sink.options as UpsertTableOptions, batches(layout), incarnation);
      const prefix = `${task.topology}/${step}`;
      return new TableWriter(layout, batches(layout), prefix, incarnation, storedIn(layout, incarnation));
    },
    async ping() {
      await engine.query('SELECT 1', {});
    },
  };

  return {
    tableSink,
    lookUp: {
      open: async (lookup) => clickHouseReader(engine, lookup),
    },
    async query<T>(sql: string, params: QueryParams = {}): Promise<T[]> {
      try {
        return parseRows<T>(await engine.query(sql, params));
      } catch (error) {
        throw explain(error, 'the query failed', where);
      }
    },
    async command(sql) {
      try {
        await engine.command(sql);
      } catch (error) {
        throw explain(error, 'the statement failed', where);
      }
    },
    async exportParquet(sql, file) {
      try {
        await engine.exportParquet(sql, file);
      } catch (error) {
        throw explain(error, `cannot write ${file}`, where);
      }
    },
    close: () => engine.close(),
  };
}

const METRICS = 'clickhouse.metrics';

const UPSERTS = 'clickhouse.upserts';

function layoutOf(kind: string, options: unknown): TableLayout {
  if (kind === METRICS) return metricsLayout((options as { readonly table: string }).table);
  return kind === UPSERTS ? upsertLayout(options as UpsertTableOptions) : tableLayout(options as TableSinkOptions);
}
