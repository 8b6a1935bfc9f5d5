import { timing } from '../../src/connect/source-options.js';
import type { Isolation, LookupKind, SinkKind, SourceKind } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';
import type { TableSinkOptions, TableTtl, TableView, UpsertTableOptions } from './table/options.js';
import { tableView } from './table/table-view.js';

// Every kind of source, sink and lookup of ClickHouse, with all options.

/** A name that can be used in a statement, also without quotes by readers. */
const name = {
  ...is.custom<string>(
    'name: letters, digits, `_`',
    (value) => typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
    (value) => value,
  ),
  showsWrongText: true,
};

const columns = is.recordOf(is.custom<string>('ClickHouse types', (type) => is.text.accepts(type)));

const migrate = is.oneOf('stop', 'add', 'widen');

const MIGRATE_DOC =
  "What a run may change if the table differs from the declaration: nothing, add missing columns (old rows get the default of the schema's " +
  'field, or the zero of the type), or also widen types without loss, which rewrites those columns. Any other difference ' +
  'ends the run with the statement that would fix it.';

const called = ({ table }: { readonly table: string }): string => table;

const isolatedTable = ({ table }: { readonly table: string }, { id, run }: Isolation): string =>
  `${id.replaceAll('-', '_')}_${run}_${table}`;

export const tableKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: {
    called,
    // All rows are compared after both runs have ended, so none may expire before.
    isolate: (options: TableSinkOptions, isolation) => ({
      ...options,
      table: isolatedTable(options, isolation),
      ttl: undefined,
      views: [],
    }),
  },
  doc: 'Writes every value as a row; a repeated row replaces itself.',
  options: {
    table: required(name, 'The name to read from: a view without duplicates over the stored rows in `<table>_rows`.'),
    schema: optional(is.schema, 'Schema of the values: its fields become columns with matching types.'),
    columns: optional(
      columns,
      'Fields to write and their ClickHouse types; with `schema`, only the types that differ. Times are ' +
        '`Date`s, milliseconds since 1970, or microseconds as `bigint`.',
    ),
    orderBy: defaulted(
      is.listOf(name),
      [],
      'Leading columns of the sorting key: the columns of the most frequent filters.',
    ),
    insertedAt: optional(name, 'Adds a column of this name with the insert time, by the clock of the server.'),
    migrate: defaulted(migrate, 'add', MIGRATE_DOC),
    exactlyOnce: defaulted(
      is.flag,
      false,
      'Keeps the rows of an epoch in the checkpoint and inserts them after it; a recovery inserts only the missing rows.',
    ),
    pendingRowsMax: defaulted(
      is.integer(1),
      100_000,
      'With `exactlyOnce`: maximum number of rows in a checkpoint; a task commits early to stay below it.',
    ),
    pendingBytesMax: defaulted(is.integer(1), 64 * 2 ** 20, 'The same as bytes, approximately.'),
    partitionBy: optional(
      is.text,
      'Partition expression over columns that are the same in a replay, such as `toYYYYMM(departedAt)` (default: none).',
    ),
    ttl: optional(
      is.custom<TableTtl>(
        '`{ since, after, to? }`',
        (value) => isTtl(value),
        ({ since, after }) => `${after / 1_000} s since ${since}`,
      ),
      'When rows are deleted, or moved `to: { disk }` or `{ volume }`: this long `after` the time in the column `since`. With an event time, ' +
        'old rows of a replay are deleted at once; with `insertedAt` they are not.',
    ),
    storagePolicy: optional(is.text, 'Storage policy of the server for the parts of the table (default: `default`).'),
    views: defaulted(
      is.listOf(
        is.custom<TableView>(
          '`clickhouse.view()`',
          (value) => tableView.is(value),
          ({ name: view }) => view,
        ),
      ),
      [],
      'Views over the table.',
    ),
  },
} satisfies SinkKind;

export const upsertsKind = {
  role: 'sink',
  writes: 'idempotent',
  verify: {
    called,
    isolate: (options: UpsertTableOptions, isolation) => ({ ...options, table: isolatedTable(options, isolation) }),
  },
  doc: 'Keeps the current value of each key of a changelog as a row.',
  options: {
    table: required(name, 'The name to read from: a view of the current rows over the stored rows in `<table>_rows`.'),
    key: required(name, 'The column for the key of a change, a `String`; there is one row per key.'),
    columns: required(columns, 'Further fields to write and their ClickHouse types.'),
    orderBy: defaulted(
      is.listOf(name),
      [],
      'Leading columns of the sorting key, before the key: the columns of the most frequent filters.',
    ),
    migrate: defaulted(migrate, 'add', MIGRATE_DOC),
  },
} satisfies SinkKind;

export const metricsKind = {
  role: 'sink',
  writes: 'idempotent',
  doc: 'Writes the metrics and counters of every step as rows.',
  options: {
    table: required(
      name,
      'The name to read from, with the columns topology, step, task, name, eventTime, value, slice, version.',
    ),
  },
} satisfies SinkKind;

export const queryKind = {
  role: 'source',
  doc: 'Reads the rows of a query once, in a total order, and continues at the same row after a restart.',
  options: {
    name: required(is.text, 'The name of the rows in dead letters and in the identity of their outputs.'),
    sql: required(is.text, 'A `SELECT` without `ORDER BY` and `LIMIT`; it runs page by page.'),
    orderBy: required(is.listOf(name), 'Columns that order the result. They must be unique together, and not null.'),
    schema: optional(
      is.schema,
      'Schema of a row as JSON: `json()` or `jsonSchema()` without framing (default: the row unchanged).',
    ),
    eventTime: required(
      is.callback<(row: never) => number>('(row) => milliseconds'),
      'Event time in milliseconds since 1970.',
    ),
    key: optional(name, 'The column with the key of the record.'),
    pageRowsMax: defaulted(is.integer(1, 1_000_000), 20_000, 'Rows per page; a page is in memory as text.'),
    every: optional(
      is.duration,
      'Interval for reading rows after the last one (default: the source ends there). New rows must be in order.',
    ),
    ...timing,
  },
} satisfies SourceKind;

export const rowsKind = {
  role: 'lookup',
  doc: 'Looks up rows by a column, with one statement per batch of keys.',
  options: {
    table: optional(is.text, 'The table or view, with one row per key. Give this or `query`.'),
    columns: optional(is.listOf(is.text), 'With `table`: columns to read, in addition to the key.'),
    query: optional(
      is.text,
      'A statement that takes the keys as `{keys:Array(Type)}` and returns rows with the key column.',
    ),
    key: required(is.text, 'The key column; its value as text is the key.'),
    keyType: defaulted(is.text, 'String', 'The ClickHouse type of the key column.'),
    decode: optional(
      is.callback<(row: never) => unknown>('(row) => unknown'),
      'Converts a row to the value (default: the row). If it throws, the key is refused.',
    ),
  },
} satisfies LookupKind;

function isTtl(value: unknown): value is TableTtl {
  const { since, after, to } = { ...(value as Partial<TableTtl> | undefined) };
  const { disk, volume } = { ...(to as { disk?: unknown; volume?: unknown } | undefined) };
  return name.accepts(since) && is.duration.accepts(after) && (to === undefined || is.text.accepts(disk ?? volume));
}

/** The options as the driver gets them. */
export interface Query {
  readonly name: string;
  readonly sql: string;
  readonly orderBy: readonly string[];
  readonly key: string | undefined;
  readonly pageRowsMax: number;
  readonly everyMs: number | undefined;
}

/** The options as the driver gets them. */
export interface RowsOptions {
  readonly sql: string;
  /** The column of the result with the key of a row. */
  readonly key: string;
  readonly keyType: string;
  readonly decode: ((row: unknown) => unknown) | undefined;
}
