import { resolve } from 'node:path';
import type { LookupDriver } from '../../src/core/lookup.js';
import type { ConfigMismatch, Sink, SinkDriver } from '../../src/core/sink.js';
import type { SourceDriver } from '../../src/core/source.js';
import { fieldsOfSchema } from '../../src/schema/shape/index.js';
import { requestBackOff, retry } from '../../src/util/retry.js';
import { type ChdbOptions, openChdbEngine } from './engine/chdb-engine.js';
import { type Engine, parseRows, parseRowsInFull, type QueryParams, syncedTables } from './engine/engine.js';
import { type HttpOptions, openHttpEngine } from './engine/http-engine.js';
import { explain, isCollision, isPassing } from './errors.js';
import { clickHouseReader } from './lookup-reader.js';
import { querySource } from './query-source.js';
import { Batches } from './table/batches.js';
import { checkedLayout, metricsLayout, type TableLayout, tableLayout, upsertLayout } from './table/layout.js';
import { type Difference, isAllowed } from './table/migration.js';
import type { TableSinkOptions, UpsertTableOptions } from './table/options.js';
import { schemaColumns } from './table/schema-columns.js';
import { changeTable, differencesOf, hintFor, setUpTable } from './table/table.js';
import { UpsertWriter } from './table/upsert-writer.js';
import { MetricsWriter, type StoredIdentities, TableWriter } from './table/writer.js';

export interface CommonOptions {
  /** Rows per insert: 20,000 by default. */
  readonly batchRows?: number;
  /** Tries of one statement in all, with growing pauses: 10 by default, about twelve seconds if connections are refused. */
  readonly attemptsMax?: number;
}

/** A server by its URL, the engine in this process by its folder, or one that is open already. */
export type ClickHouseOptions = CommonOptions & (HttpOptions | ChdbOptions | { readonly engine: Engine });

export interface ClickHouse {
  readonly engine: Engine;
  /** Tables, upserts and metrics; repeated writes have no effect. */
  readonly tableSink: SinkDriver;
  /** Serves `clickhouse.querySource`. */
  readonly source: SourceDriver;
  /** Serves `clickhouse.tableLookup`. */
  readonly lookup: LookupDriver;
  /**
   * The rows of a result; `{name:Type}` in the statement takes values from `params`.
   *
   * @throws MillraceError `sink` with the engine's message and error code.
   */
  query<T>(sql: string, params?: QueryParams): Promise<T[]>;
  /** The same for a statement of a user who may only read tables: it fails if it writes, or uses files or addresses. */
  queryReadOnly<T>(sql: string): Promise<T[]>;
  /** Rows to show, as `queryReadOnly` gives them, of a statement that may do anything. Numbers that would be rounded are texts. */
  queryInFull<T>(sql: string): Promise<T[]>;
  command(sql: string): Promise<void>;
  /** Writes the rows of a result to a local Parquet file; an existing file is replaced. */
  exportParquet(sql: string, file: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a ClickHouse server (`url`), or the same engine in this process (`path`), which is loaded at its first use.
 *
 * A sink inserts its rows in batches during the epoch, and all are in the table before its checkpoint is stored. A lost connection
 * or a busy server is retried. A row that is inserted twice replaces itself, because it carries the identity of its record. Memory:
 * at most three batches per task and table.
 *
 * @throws MillraceError `config`, at the first use, if another process uses the folder.
 * @example const tables = await openClickHouse({ url: 'http://127.0.0.1:8123' }); await tables.query<{ n: number }>('SELECT count()
 * AS n FROM flights');
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  const { batchRows = 20_000, attemptsMax = 10 } = options;
  const engine = await engineOf(options);
  const { where } = engine;
  const retrying = { ...requestBackOff, retriable: isPassing, attemptsMax };

  const explained = async <T>(failure: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, failure, where);
    }
  };
  const settingUp = { ...retrying, retriable: (error: unknown) => isPassing(error) || isCollision(error) };
  /** Tables that differ from the topology, until the first row. */
  const changes = new Map<string, TableLayout>();
  const changed = async (table: string): Promise<void> => {
    const layout = changes.get(table);
    if (layout) await retry(() => changeTable(engine, layout), settingUp);
    changes.delete(table);
  };
  const insert: Engine['insert'] = (table, columns, body) =>
    explained(`cannot insert into ${table}`, async () => {
      await changed(table);
      await retry(() => engine.insert(table, columns, body), retrying);
    });
  const batches = ({ rows: table, columns, identity }: TableLayout) =>
    new Batches({ table, columns: [...Object.keys(columns), ...Object.keys(identity)], rowsMax: batchRows, insert });

  const storedIn =
    ({ rows }: TableLayout, incarnation: number): StoredIdentities =>
    (source, from, to) => {
      const sql =
        `SELECT concat(toString(_offset), '/', toString(_n)) AS id FROM ${rows} WHERE _source = {source:String} ` +
        'AND _offset BETWEEN {from:UInt64} AND {to:UInt64} AND _incarnation >= {incarnation:UInt64}';
      return explained(`cannot look rows up in ${rows}`, async () => {
        await changed(rows);
        const text = await retry(() => engine.query(sql, { source, from, to, incarnation }), retrying);
        return new Set(parseRows<{ id: string }>(text).map(({ id }) => id));
      });
    };

  const layouts = new WeakMap<object, TableLayout>();
  /** Requested from the engine once per sink, so a task can be reopened while the server is down. */
  async function layoutFor(sink: Sink<unknown>): Promise<TableLayout> {
    const options = sink.options as object;
    const layout = layouts.get(options) ?? (await retry(() => layoutOf(engine, sink), retrying));
    layouts.set(options, layout);
    return layout;
  }

  const tableSink: SinkDriver = {
    mode: 'idempotent',
    setUp: (sink) =>
      explained(`cannot set up table ${(sink.options as { readonly table: string }).table}`, async () => {
        const layout = await layoutFor(sink);
        if (await retry(() => setUpTable(engine, layout), settingUp)) changes.set(layout.rows, layout);
      }),
    mismatches: (sink) =>
      explained('cannot look at the table', async () => {
        const layout = await layoutOf(engine, sink);
        return (await differencesOf(engine, layout)).map((difference) => mismatchesOf(layout, difference));
      }),
    async open(sink, { task, step, incarnation }) {
      const layout = await explained('cannot open the table', () => layoutFor(sink));
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
    engine,
    tableSink,
    source: querySource(engine, retrying),
    lookup: {
      open: async (lookup) => clickHouseReader(engine, lookup),
    },
    query: <T>(sql: string, params: QueryParams = {}) =>
      explained('the query failed', async () => parseRows<T>(await engine.query(sql, params))),
    queryReadOnly: <T>(sql: string) =>
      explained('the query failed', async () => parseRowsInFull<T>(await engine.queryReadOnly(sql))),
    queryInFull: <T>(sql: string) =>
      explained('the query failed', async () => parseRowsInFull<T>(await engine.query(sql, {}))),
    command: (sql) => explained('the statement failed', () => engine.command(sql)),
    exportParquet: (sql, file) => explained(`cannot write ${file}`, () => engine.exportParquet(sql, file)),
    close: () => engine.close(),
  };
}

function mismatchesOf(layout: TableLayout, difference: Difference): ConfigMismatch {
  const { setting, declared, actual, repair } = difference;
  const allowed = isAllowed(difference, layout);
  const hint = allowed ? `the next run changes it: ${repair}` : hintFor(layout, [difference]);
  return { what: `table '${layout.rows}'`, setting, declared, actual, hint, refused: !allowed };
}

const METRICS = 'clickhouse.metricsSink';

const UPSERTS = 'clickhouse.upsertSink';

/** The layout of a sink's table: the columns of its schema, and those that it declares. */
async function layoutOf(engine: Engine, { kind, options }: Sink<unknown>): Promise<TableLayout> {
  if (kind === METRICS) return metricsLayout((options as { readonly table: string }).table);
  if (kind === UPSERTS) return checkedLayout(engine, upsertLayout(options as UpsertTableOptions));
  const table = options as TableSinkOptions;
  if (table.schema === undefined) return checkedLayout(engine, tableLayout(table));
  const { columns, units, defaults } = schemaColumns(await fieldsOfSchema(table.schema));
  // The schema's default may have another type than a column that the sink itself declares.
  const theirs = Object.fromEntries(Object.entries(defaults).filter(([name]) => table.columns[name] === undefined));
  const layout = tableLayout({ ...table, columns: { ...columns, ...table.columns } }, units, theirs);
  return checkedLayout(engine, layout);
}

async function engineOf(options: ClickHouseOptions): Promise<Engine> {
  if ('engine' in options) return options.engine;
  if ('url' in options) return openHttpEngine(options);
  return lazyEngine(resolve(options.path), syncedTables, () => openChdbEngine(options));
}

/** An engine that opens at its first use, so a topology without tables never loads it. */
function lazyEngine(where: string, tableSettings: Engine['tableSettings'], open: () => Promise<Engine>): Engine {
  let opening: Promise<Engine> | undefined;
  const opened = (): Promise<Engine> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    where,
    tableSettings,
    query: async (sql, params, signal) => (await opened()).query(sql, params, signal),
    queryReadOnly: async (sql) => (await opened()).queryReadOnly(sql),
    command: async (sql) => (await opened()).command(sql),
    exportParquet: async (sql, file) => (await opened()).exportParquet(sql, file),
    insert: async (table, columns, body) => (await opened()).insert(table, columns, body),
    close: async () => (await opening)?.close(),
  };
}
