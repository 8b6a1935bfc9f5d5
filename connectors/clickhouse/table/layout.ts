import { MillraceError } from '../../../src/core/errors.js';
import type { Engine } from '../engine/engine.js';
import { type Columns, canonicalTypes } from './canonical.js';
import type { TableSinkOptions, TableTtl, TableView, UpsertTableOptions } from './options.js';
import type { Units } from './rows.js';

/** By column, as SQL. */
export type Defaults = Readonly<Record<string, string>>;

/** The required form of a table: its columns, and by which of them a row replaces another. */
export interface TableLayout {
  /** The name that readers use: a view without duplicates. */
  readonly view: string;
  /** The table behind it. */
  readonly rows: string;
  /** The columns that readers see, with their types. */
  readonly columns: Columns;
  /** The units of numbers in time columns. */
  readonly units: Units;
  /** The values of an added column in existing rows. */
  readonly defaults?: Defaults | undefined;
  /** A column that the table fills itself, visible to readers. */
  readonly insertedAt?: string | undefined;
  /** Columns that only the table has. */
  readonly identity: Columns;
  /** The sorting key: rows that are equal in it are one row. */
  readonly key: readonly string[];
  /** Of equal rows, the one with the highest version remains; a second column marks deletions. */
  readonly version: readonly string[];
  /** Rows never change under one identity and version, so a repeated block can be dropped. */
  readonly unchanging: boolean;
  readonly migrate: 'stop' | 'add' | 'widen';
  readonly partitionBy?: string | undefined;
  readonly ttl?: TableTtl | undefined;
  readonly storagePolicy?: string | undefined;
  readonly views: readonly TableView[];
}

/** The common values of most tables. */
const plain = { units: {}, views: [], unchanging: true, migrate: 'add' } as const;

/**
 * The layout of a table sink. A row's identity is the record that it comes from: `_source` is topology, step, topic and partition
 * in one string (four columns would cost as much to insert as the row itself); `_offset` and `_n` are the record and its number
 * among that record's values. `_incarnation` is the version: a newer one replaces rows of an older one.
 */
export const tableLayout = (
  { table, orderBy, schema: _, ...options }: TableSinkOptions,
  units: Units = {},
  defaults: Defaults = {},
): TableLayout => ({
  ...options,
  defaults,
  view: table,
  rows: `${table}_rows`,
  units,
  identity: {
    _source: 'LowCardinality(String)',
    _offset: 'UInt64',
    _n: 'UInt32',
    _incarnation: 'UInt64',
  },
  key: [...orderBy, '_source', '_offset', '_n'],
  version: ['_incarnation'],
  unchanging: true,
  migrate: options.migrate ?? plain.migrate,
  views: options.views ?? plain.views,
});

/** The layout of a table of changes: one row per key, the one with the highest version, unless that is a deletion. */
export function upsertLayout({ table, columns, key, orderBy, migrate }: UpsertTableOptions): TableLayout {
  const { [key]: _, ...others } = columns;
  return {
    ...plain,
    view: table,
    rows: `${table}_rows`,
    columns: { ...others, [key]: 'String' },
    identity: { _version: 'UInt64', _deleted: 'UInt8' },
    key: [...orderBy.filter((name) => name !== key), key],
    version: ['_version', '_deleted'],
    migrate: migrate ?? plain.migrate,
  };
}

/** The layout of a metrics sink: a measurement is identified by its name, event time, slice and model version. */
export const metricsLayout = (table: string): TableLayout => ({
  ...plain,
  view: table,
  rows: `${table}_rows`,
  columns: {
    topology: 'LowCardinality(String)',
    step: 'LowCardinality(String)',
    task: 'UInt32',
    name: 'LowCardinality(String)',
    eventTime: 'DateTime64(3)',
    value: 'Float64',
    slice: 'LowCardinality(String)',
    version: 'LowCardinality(String)',
  },
  identity: { _incarnation: 'UInt64' },
  key: ['topology', 'step', 'task', 'name', 'eventTime', 'slice', 'version'],
  version: ['_incarnation'],
  unchanging: false, // a later measurement for the same time may equal an earlier one
});

/**
 * Checks the names of a layout, and converts its types to ClickHouse's notation.
 *
 * @throws MillraceError `config` for an invalid name; the engine's error for an unknown type.
 */
export async function checkedLayout(engine: Engine, layout: TableLayout): Promise<TableLayout> {
  checkNames(layout);
  return { ...layout, columns: await canonicalTypes(engine, layout.columns) };
}

/** Columns that the table fills itself, with their types. */
export const stampOf = ({ insertedAt }: TableLayout): Columns =>
  insertedAt === undefined ? {} : { [insertedAt]: 'DateTime64(3)' };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function checkNames(layout: TableLayout): void {
  const { view, columns, key, views } = layout;
  const names = [view, ...Object.keys({ ...columns, ...stampOf(layout) }), ...key, ...views.map(({ name }) => name)];
  for (const name of names) {
    if (NAME.test(name)) continue;
    throw new MillraceError('config', `'${name}' is not a valid name for a table or column`, {
      where: view,
      hint: 'letters, digits and underscores, not beginning with a digit',
    });
  }
  for (const name of Object.keys(columns)) {
    if (!name.startsWith('_')) continue;
    throw new MillraceError('config', `column ${name} of table ${view} begins with an underscore`, {
      where: view,
      hint: "such names are kept for a row's identity",
    });
  }
}

export const quoted = (name: string): string => `\`${name}\``;

export const quotedText = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
