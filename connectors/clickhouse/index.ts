import type { Change } from '../../src/core/change.js';
import type { Sink } from '../../src/core/io.js';
import type { Metric } from '../../src/core/metric.js';
import type { TableSinkOptions, UpsertTableOptions } from '../../src/core/sinks.js';
import { rows } from './look-up.js';

export type { ClickHouseRowsOptions } from './look-up.js';

export interface ClickHouseTableOptions<T> {
  /** The name to read: a view without duplicates over the stored rows in `<table>_rows`. */
  readonly table: string;
  /** Fields to write and their ClickHouse types. A `DateTime64(3)` takes milliseconds since 1970. */
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  /** Leading columns of the sorting key: those by which the table is mostly read. */
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
  /** A column of this name says when the row was inserted, by the table's clock: processing time beside event time. */
  readonly insertedAt?: string;
  /**
   * Keeps an epoch's rows in its checkpoint and inserts them after it; a recovery inserts only those that are not there
   * yet. So no row stands twice in the stored table either, and none that a checkpoint does not know.
   */
  readonly exactlyOnce?: boolean;
  /** With `exactlyOnce`: rows that a checkpoint keeps at most, 100,000 by default; a task commits early rather than keep more. */
  readonly pendingRowsMax?: number;
}

export interface ClickHouseUpsertsOptions<T> {
  /** The name to read: a view of the current rows over the stored ones in `<table>_rows`. */
  readonly table: string;
  /** The column that holds the key of a change, a `String`: rows that agree in it are one row. */
  readonly key: string;
  /** Further fields to write and their ClickHouse types. A `DateTime64(3)` takes milliseconds since 1970. */
  readonly columns: { readonly [K in keyof NoInfer<T> & string]?: string };
  /** Leading columns of the sorting key, before the key: those by which the table is mostly read. */
  readonly orderBy?: readonly (keyof NoInfer<T> & string)[];
}

export interface ClickHouseMetricsOptions {
  readonly table: string;
}

/**
 * Tables as outputs of a topology, and rows to look up: inert data, read by the profile that runs it. Nothing here connects to anything,
 * and no client library is loaded; `openClickHouse` in `./open.js` is where that happens.
 */
export const clickhouse = {
  /**
   * Writes every value as a row. Effectively once: a row carries the identity of the record that it comes from, and
   * a repeated one replaces itself.
   *
   * @example
   * flights.to('history', clickhouse.table({
   *   table: 'flights',
   *   columns: { flightId: 'UInt32', departedAt: 'DateTime64(3)' },
   *   orderBy: ['departedAt'],
   * }));
   */
  table<T>(options: ClickHouseTableOptions<T>): Sink<T> {
    const { table, columns, orderBy = [], insertedAt, exactlyOnce = false, pendingRowsMax = 100_000 } = options;
    const sinkOptions: TableSinkOptions = {
      table,
      columns: Object.freeze({ ...columns }) as TableSinkOptions['columns'],
      orderBy: Object.freeze([...orderBy]),
      insertedAt,
    };
    return Object.freeze({
      connector: 'clickhouse',
      kind: 'clickhouse.table',
      settings: Object.freeze({
        table,
        columns: Object.keys(columns).join(', '),
        orderBy: orderBy.join(', '),
        ...(insertedAt === undefined ? {} : { insertedAt }),
        ...(exactlyOnce ? { exactlyOnce, pendingRowsMax } : {}),
      }),
      options: Object.freeze(sinkOptions),
      ...(exactlyOnce ? { deferred: Object.freeze({ rowsMax: pendingRowsMax }) } : {}),
    });
  },

  /**
   * Keeps what is held to be true now of each key of a stream of changes as a row: what is revised replaces its row, what is
   * retracted is not shown any more. Effectively once: a row's version is the number of its change among those of its task, so
   * inserts may be repeated. A deletion stays in the stored table as a mark; a change from nothing to nothing is not written.
   *
   * @example
   * hourly.to('hourly', clickhouse.upserts({
   *   table: 'trips_per_hour',
   *   key: 'window',
   *   columns: { startMs: 'DateTime64(3)', trips: 'UInt32' },
   *   orderBy: ['startMs'],
   * }));
   */
  upserts<T extends object>(options: ClickHouseUpsertsOptions<T>): Sink<Change<T>> {
    const { table, key, columns, orderBy = [] } = options;
    const sinkOptions: UpsertTableOptions = {
      table,
      columns: Object.freeze({ ...columns, [key]: 'String' }) as UpsertTableOptions['columns'],
      key,
      orderBy: Object.freeze([...orderBy]),
    };
    return Object.freeze({
      connector: 'clickhouse',
      kind: 'clickhouse.upserts',
      changes: true,
      settings: Object.freeze({
        table,
        key,
        columns: Object.keys(columns).join(', '),
        orderBy: orderBy.join(', '),
      }),
      options: Object.freeze(sinkOptions),
    });
  },

  /**
   * Keeps the measurements and counters of every step as rows (topology, step, task, name, eventTime, value); one
   * that speaks of the same point of event time replaces the earlier one.
   *
   * @example
   * topology('flights', { deadLetters, metrics: clickhouse.metrics({ table: 'metrics' }) }, build);
   */
  metrics({ table }: ClickHouseMetricsOptions): Sink<Metric> {
    return Object.freeze({
      connector: 'clickhouse',
      kind: 'clickhouse.metrics',
      settings: Object.freeze({ table }),
      options: Object.freeze({ table }),
    });
  },

  rows,
} as const;
