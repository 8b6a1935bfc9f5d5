import type { Sink } from '../../src/core/io.js';
import type { Metric } from '../../src/core/metric.js';
import type { TableSinkOptions } from '../../src/core/sinks.js';
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
