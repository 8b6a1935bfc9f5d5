import * as is from '../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import type { Change } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import type { UpsertTableOptions } from '../../src/core/sink-options.js';
import { columns, MIGRATE_DOC, migrate, name } from './table/column-options.js';

export const upsertsKind = connectorKind({
  kind: 'clickhouse.upsertSink',
  role: 'sink',
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
});

/** Options of `clickhouse.upsertSink`. */
export interface ClickHouseUpsertsOptions<T> extends Omit<OptionsOf<typeof upsertsKind.options>, 'columns'> {
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
}

/**
 * Keeps what is held to be true now of each key of a stream of changes as a row: what is revised replaces its row, what is
 * retracted is not shown any more. Effectively once: a row's version is the number of its change among those of its task, so
 * inserts may be repeated. A deletion stays in the stored table as a mark; a change from nothing to nothing is not written.
 *
 * @example
 * hourly.to('hourly', clickhouse.upsertSink({
 *   table: 'trips_per_hour',
 *   key: 'window',
 *   columns: { startMs: 'DateTime64(3)', trips: 'UInt32' },
 *   orderBy: ['startMs'],
 * }));
 */
export function upsertSink<T extends object>(options: ClickHouseUpsertsOptions<T>): Sink<Change<T>> {
  const { table, key, columns: given, orderBy, migrate: allowed } = resolve(upsertsKind, options);
  const sinkOptions: UpsertTableOptions = {
    table,
    columns: Object.freeze({ ...given, [key]: 'String' }) as UpsertTableOptions['columns'],
    key,
    orderBy: Object.freeze([...orderBy]),
    migrate: allowed,
  };
  return Object.freeze({
    connector: 'clickhouse',
    kind: upsertsKind.kind,
    changes: true,
    settings: settingsOf(upsertsKind, options),
    problems: problemsOf(upsertsKind, options),
    options: Object.freeze(sinkOptions),
  });
}
