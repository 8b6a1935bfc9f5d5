import type { Problem } from '../../src/core/operator.js';
import * as is from '../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Sink } from '../../src/core/sink.js';
import type { TableSinkOptions, TableTtl, TableView } from '../../src/core/sink-options.js';
import { columns, MIGRATE_DOC, migrate, name } from './table/column-options.js';
import { tableView, viewProblems } from './table/table-view.js';

export const tableKind = connectorKind({
  kind: 'clickhouse.tableSink',
  role: 'sink',
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
});

interface TableOptions<T> extends Omit<OptionsOf<typeof tableKind.options>, 'schema' | 'columns'> {
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
}

interface Fields<T> {
  readonly schema: Schema<T>;
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
}

/** Columns are given, or follow from a schema, or both. */
export type ClickHouseTableOptions<T> = TableOptions<T> &
  (
    | (Pick<Fields<T>, 'columns'> & { readonly schema?: never })
    | (Pick<Fields<T>, 'schema'> & Partial<Pick<Fields<T>, 'columns'>>)
  );

/**
 * Writes every value as a row. Effectively once: a row carries the identity of the record that it comes from, and
 * a repeated one replaces itself. What a column has no room for goes to the dead letters (`unrepresentable`).
 *
 * @example
 * flights.to('history', clickhouse.tableSink({
 *   table: 'flights',
 *   columns: { flightId: 'UInt32', departedAt: 'DateTime64(3)' },
 *   orderBy: ['departedAt'],
 * }));
 * scored.to('scored', clickhouse.tableSink({ table: 'scored', schema: PredictionV1, insertedAt: 'storedAt', ttl: { since: 'storedAt', after: days(90) } }));
 */
export function tableSink<T>(given: ClickHouseTableOptions<T>): Sink<T> {
  const options = given as OptionsOf<typeof tableKind.options>;
  const { exactlyOnce, pendingRowsMax, ...rest } = resolve(tableKind, options);
  const sinkOptions: TableSinkOptions = {
    ...rest,
    columns: Object.freeze({ ...options.columns }),
    orderBy: Object.freeze([...rest.orderBy]),
    views: Object.freeze([...rest.views]),
  };
  return Object.freeze({
    connector: 'clickhouse',
    kind: tableKind.kind,
    settings: settingsOf(tableKind, options),
    problems: Object.freeze([...problemsOf(tableKind, options), ...tableProblems(options)]),
    options: Object.freeze(sinkOptions),
    ...(exactlyOnce ? { deferred: Object.freeze({ rowsMax: pendingRowsMax }) } : {}),
  });
}

/** What differs each time that it is asked: a row that comes again would lie in another partition. */
const UNSTEADY = /\b(now|now64|today|yesterday|rand\w*|generate\w*|hostName|rowNumber\w*)\s*\(|\b_incarnation\b/i;

function tableProblems(options: OptionsOf<typeof tableKind.options>): Problem[] {
  const { schema, columns: given, partitionBy, insertedAt, ttl, views = [], table: view } = options;
  const problems: Problem[] = [];
  if (schema === undefined && given === undefined)
    problems.push({ message: 'there are no columns', hint: 'give columns, or the schema of the values' });
  const named = insertedAt !== undefined && new RegExp(`\\b${insertedAt}\\b`).test(partitionBy ?? '');
  if (partitionBy !== undefined && (UNSTEADY.test(partitionBy) || named)) {
    problems.push({
      message: `partitionBy ${partitionBy} is not the same when a row comes again`,
      hint: 'rows that replace each other must lie in one partition: partition by fields of the value, its event time for example',
    });
  }
  const known =
    schema !== undefined || ttl === undefined || [...Object.keys(given ?? {}), insertedAt].includes(ttl.since);
  if (!known) {
    problems.push({
      message: `ttl counts since ${ttl.since}, which is no column`,
      hint: 'name a column of a time: insertedAt, if replayed rows are to live as long as others',
    });
  }
  return [...problems, ...views.flatMap((each) => viewProblems(each, view))];
}

function isTtl(value: unknown): value is TableTtl {
  const { since, after, to } = { ...(value as Partial<TableTtl> | undefined) };
  const { disk, volume } = { ...(to as { disk?: unknown; volume?: unknown } | undefined) };
  return name.accepts(since) && is.duration.accepts(after) && (to === undefined || is.text.accepts(disk ?? volume));
}
