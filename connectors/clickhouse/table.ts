import { MillraceError } from '../../src/core/errors.js';
import type { TableSinkOptions, UpsertTableOptions } from '../../src/core/sinks.js';
import type { Engine } from './engine.js';
import { parseRows } from './json-rows.js';
import type { Units } from './rows.js';

/** A table as it must stand: what is stored, and by which columns a row replaces another. */
export interface TableLayout {
  /** The name that readers use: a view without duplicates. */
  readonly view: string;
  /** The table behind it. */
  readonly rows: string;
  /** Columns that readers see, with their types. */
  readonly columns: Readonly<Record<string, string>>;
  readonly units?: Units | undefined;
  /** A column that the table fills by itself, for readers too. */
  readonly insertedAt?: string | undefined;
  /** Columns that only the table has. */
  readonly identity: Readonly<Record<string, string>>;
  /** The sorting key: rows that agree in all of it are one row. */
  readonly key: readonly string[];
  /** Of rows that are one, the one with the highest version stays; a second column marks deletions. */
  readonly version: readonly string[];
  /** Rows never change under one identity and version, so a block of them that comes again is dropped. */
  readonly unchanging: boolean;
}

/**
 * Blocks that ClickHouse remembers by their digest: an insert whose answer was lost, or that a dead process had on its
 * way, changes nothing when it comes again among so many others. (A server's own default remembers none.)
 */
const REMEMBERED_BLOCKS = 10_000;

/**
 * The layout of a table sink. A row's identity is the record that it comes from: `_source` is topology, step, topic and
 * partition in one word (four columns would cost as much to read in as the row itself), `_offset` and `_n` the record
 * and its number among that record's values. `_incarnation` is the version: what an older one wrote, a newer replaces.
 */
export function tableLayout({ table, columns, orderBy, insertedAt }: TableSinkOptions): TableLayout {
  return {
    view: table,
    rows: `${table}_rows`,
    columns,
    insertedAt,
    identity: {
      _source: 'LowCardinality(String)',
      _offset: 'UInt64',
      _n: 'UInt32',
      _incarnation: 'UInt64',
    },
    key: [...orderBy, '_source', '_offset', '_n'],
    version: ['_incarnation'],
    unchanging: true,
  };
}

/** The layout of a table of changes: one row a key, the one with the highest version, unless that is a deletion. */
export function upsertLayout({ table, columns, key, orderBy }: UpsertTableOptions): TableLayout {
  const { [key]: _, ...others } = columns;
  return {
    view: table,
    rows: `${table}_rows`,
    columns: { ...others, [key]: 'String' },
    identity: { _version: 'UInt64', _deleted: 'UInt8' },
    key: [...orderBy.filter((name) => name !== key), key],
    version: ['_version', '_deleted'],
    unchanging: true,
  };
}

/** The layout of a metrics sink: a measurement is known by what it measures and the point of event time. */
export const metricsLayout = (table: string): TableLayout => ({
  view: table,
  rows: `${table}_rows`,
  columns: {
    topology: 'LowCardinality(String)',
    step: 'LowCardinality(String)',
    task: 'UInt32',
    name: 'LowCardinality(String)',
    eventTime: 'DateTime64(3)',
    value: 'Float64',
  },
  identity: { _incarnation: 'UInt64' },
  key: ['topology', 'step', 'task', 'name', 'eventTime'],
  version: ['_incarnation'],
  unchanging: false, // a later measurement of the same point may be what an earlier one was
});

/**
 * Creates the table and its view where they are missing, and compares what is there with what must be.
 *
 * @throws MillraceError `config` that says which columns differ, and the statement that would mend it.
 */
export async function setUpTable(engine: Engine, layout: TableLayout): Promise<void> {
  checkNames(layout);
  await refuseForeignTable(engine, layout);
  const stamp = layout.insertedAt === undefined ? {} : { [layout.insertedAt]: 'DateTime64(3)' };
  const columns = { ...layout.columns, ...stamp, ...layout.identity };
  const lines = Object.entries(columns).map(
    ([name, type]) => `${quoted(name)} ${type}${name in stamp ? ' DEFAULT now64(3)' : ''}`,
  );
  await engine.command(`
    CREATE TABLE IF NOT EXISTS ${quoted(layout.rows)} (${lines.join(', ')})
    ENGINE = ReplacingMergeTree(${layout.version.join(', ')}) ORDER BY (${layout.key.map(quoted).join(', ')})`);
  await compare(engine, layout, columns);
  if (layout.unchanging) await rememberBlocks(engine, layout);
  await engine.command(`
    CREATE OR REPLACE VIEW ${quoted(layout.view)} AS
    SELECT ${Object.keys({ ...layout.columns, ...stamp })
      .map(quoted)
      .join(', ')} FROM ${quoted(layout.rows)} FINAL`);
}

/** Tables made before this was asked for get it too; a cluster's own variants of the engine remember blocks anyway. */
async function rememberBlocks(engine: Engine, { rows }: TableLayout): Promise<void> {
  const [table] = await rowsOf<{ engine: string; full: string }>(
    engine,
    'SELECT engine, engine_full AS full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table: rows },
  );
  if (table?.engine !== 'ReplacingMergeTree' || table.full.includes(WINDOW)) return;
  await engine.command(`ALTER TABLE ${quoted(rows)} MODIFY SETTING ${WINDOW} = ${REMEMBERED_BLOCKS}`);
}

const WINDOW = 'non_replicated_deduplication_window';

async function rowsOf<T>(engine: Engine, sql: string, params: Readonly<Record<string, unknown>>): Promise<T[]> {
  return parseRows<T>(await engine.query(sql, params));
}

async function refuseForeignTable(engine: Engine, { view, rows }: TableLayout): Promise<void> {
  const tables = await rowsOf<{ name: string; engine: string }>(
    engine,
    'SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND name IN {names:Array(String)}',
    { names: [view, rows] },
  );
  for (const table of tables) {
    const expected = table.name === view ? 'View' : 'ReplacingMergeTree';
    // A cluster's own variants of the engine do as well.
    if (table.engine.endsWith(expected)) continue;
    throw new MillraceError('config', `${table.name} is there already, as ${table.engine} where ${expected} must be`, {
      where: table.name,
      hint: 'it is not one of Millrace: choose another table name in the topology',
    });
  }
}

async function compare(engine: Engine, layout: TableLayout, columns: Readonly<Record<string, string>>): Promise<void> {
  const found = new Map(
    (
      await rowsOf<{ name: string; type: string }>(
        engine,
        'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
        { table: layout.rows },
      )
    ).map(({ name, type }) => [name, type]),
  );
  const differences: string[] = [];
  const repairs: string[] = [];
  for (const [name, type] of Object.entries(columns)) {
    const there = found.get(name);
    if (there === undefined) {
      differences.push(`${name} ${type} is missing`);
      repairs.push(`ADD COLUMN ${quoted(name)} ${type}${name === layout.insertedAt ? ' DEFAULT now64(3)' : ''}`);
    } else if (!sameType(there, type)) {
      differences.push(`${name} is ${there} where the topology says ${type}`);
      repairs.push(`MODIFY COLUMN ${quoted(name)} ${type}`);
    }
  }
  if (differences.length > 0) {
    throw new MillraceError('config', `table ${layout.rows} differs from the topology: ${differences.join('; ')}`, {
      where: layout.rows,
      hint: `run \`ALTER TABLE ${quoted(layout.rows)} ${repairs.join(', ')}\`, or choose another table name`,
    });
  }
  const [table] = await rowsOf<{ key: string }>(
    engine,
    'SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table: layout.rows },
  );
  const key = layout.key.join(', ');
  // A key of one column is given back in brackets of its own by some versions.
  if (table && table.key.replaceAll(/[`()]/g, '') !== key) {
    throw new MillraceError('config', `table ${layout.rows} is ordered by (${table.key}) where (${key}) must be`, {
      where: layout.rows,
      hint: 'a sorting key cannot be changed: choose another table name, or the `orderBy` that it was made with',
    });
  }
}

/** Types as ClickHouse prints them, spaces aside. */
const sameType = (a: string, b: string): boolean => a.replaceAll(/\s/g, '') === b.replaceAll(/\s/g, '');

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function checkNames({ view, columns, insertedAt, key }: TableLayout): void {
  for (const name of [view, ...Object.keys(columns), ...(insertedAt === undefined ? [] : [insertedAt]), ...key]) {
    if (!NAME.test(name)) {
      throw new MillraceError('config', `'${name}' is no name for a table or column`, {
        where: view,
        hint: 'letters, digits and underscores, not beginning with a digit',
      });
    }
  }
  for (const name of Object.keys(columns)) {
    if (!name.startsWith('_')) continue;
    throw new MillraceError('config', `column ${name} of table ${view} begins with an underscore`, {
      where: view,
      hint: "such names are kept for a row's identity",
    });
  }
}

const quoted = (name: string): string => `\`${name}\``;
