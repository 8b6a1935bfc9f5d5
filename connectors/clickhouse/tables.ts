import { MillraceError } from '../../src/core/errors.js';
import type { TableSinkOptions } from '../../src/core/sinks.js';
import type { Statements } from './statements.js';

/**
 * The columns that say which write a row is: one identity is one row, whichever try wrote it. `_n` numbers the rows of
 * one record at one sink.
 */
export const identity = {
  _step: 'LowCardinality(String)',
  _topic: 'LowCardinality(String)',
  _partition: 'UInt32',
  _offset: 'UInt64',
  _n: 'UInt32',
  _incarnation: 'UInt32',
} as const;

/** A table that keeps one row an identity, and the view to read it by. */
export interface StoredTable {
  /** The view's name: what users query. */
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
  /** Columns that belong to the engine and that the view leaves out. */
  readonly hidden: Readonly<Record<string, string>>;
  readonly orderBy: readonly string[];
  /** The row with the highest version of an identity stays; without it, the one inserted last. */
  readonly version: string | undefined;
}

export const rowsOf = (table: string): string => `${table}_rows`;

/** A topology's table: rows by their identity; a row of a later incarnation replaces an earlier one's. */
export const sinkTable = ({ table, columns, orderBy }: TableSinkOptions): StoredTable => ({
  name: table,
  columns,
  hidden: identity,
  orderBy: [...orderBy, '_topic', '_partition', '_offset', '_n', '_step'],
  version: '_incarnation',
});

/** The metrics' table: one value a step, task, name and point of event time. */
export const metricsTable = (table: string): StoredTable => ({
  name: table,
  columns: {
    topology: 'LowCardinality(String)',
    step: 'LowCardinality(String)',
    task: 'UInt32',
    name: 'LowCardinality(String)',
    eventTime: 'DateTime64(3)',
    value: 'Float64',
  },
  hidden: {},
  orderBy: ['topology', 'step', 'task', 'name', 'eventTime'],
  version: undefined,
});

const quoted = (name: string): string => `\`${name}\``;
const listed = (names: readonly string[]): string => names.map(quoted).join(', ');

/** Creates the table and its view where they are missing; what is there must have the declared columns. */
export async function setUpTable(statements: Statements, table: StoredTable): Promise<void> {
  checkNames(table);
  const columns = { ...table.columns, ...table.hidden };
  const declared = Object.entries(columns).map(([name, type]) => `${quoted(name)} ${type}`);
  const version = table.version === undefined ? '' : quoted(table.version);
  await statements.command(
    `CREATE TABLE IF NOT EXISTS ${quoted(rowsOf(table.name))} (${declared.join(', ')}) ` +
      `ENGINE = ReplacingMergeTree(${version}) ORDER BY (${listed(table.orderBy)})`,
  );
  await checkColumns(statements, rowsOf(table.name), columns);
  await statements.command(
    `CREATE VIEW IF NOT EXISTS ${quoted(table.name)} AS ` +
      `SELECT ${listed(Object.keys(table.columns))} FROM ${quoted(rowsOf(table.name))} FINAL`,
  );
}

function checkNames({ name, columns, orderBy, hidden }: StoredTable): void {
  for (const each of [name, ...Object.keys(columns)]) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(each)) {
      throw new MillraceError('config', `'${each}' cannot name a table or column`, {
        where: name,
        hint: 'use letters, digits and "_", a letter first; names that begin with "_" are the engine\'s',
      });
    }
  }
  const missing = orderBy.filter((column) => !(column in columns) && !(column in hidden));
  if (missing.length > 0) {
    throw new MillraceError('config', `orderBy names no column: ${missing.join(', ')}`, { where: name });
  }
}

async function checkColumns(
  statements: Statements,
  table: string,
  declared: Readonly<Record<string, string>>,
): Promise<void> {
  const found = await statements.query<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '${table}'`,
  );
  const types = new Map(found.map(({ name, type }) => [name, type]));
  const differences = Object.entries(declared)
    .filter(([name, type]) => types.get(name)?.replaceAll(' ', '') !== type.replaceAll(' ', ''))
    .map(([name, type]) => `${name} is ${types.get(name) ?? 'missing'}, declared ${type}`);
  if (differences.length > 0) {
    throw new MillraceError('config', `the table differs from its declaration: ${differences.join('; ')}`, {
      where: table,
      hint: 'ALTER the table, name another one, or declare what is there',
    });
  }
}
