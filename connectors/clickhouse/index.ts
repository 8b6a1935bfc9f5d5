import { tableLookup } from './lookup.js';
import { metricsSink } from './metrics-sink.js';
import { querySource } from './query.js';
import { tableView } from './table/table-view.js';
import { tableSink } from './table-sink.js';
import { upsertSink } from './upserts-sink.js';

export type { ClickHouseRowsOptions } from './lookup.js';
export type { ClickHouseMetricsOptions } from './metrics-sink.js';
export type { ClickHouseQueryOptions } from './query.js';
export type { ClickHouseViewOptions } from './table/table-view.js';
export type { ClickHouseTableOptions } from './table-sink.js';
export type { ClickHouseUpsertsOptions } from './upserts-sink.js';

/**
 * Tables as outputs and inputs of a topology and as lookups, as inert data. Nothing here connects or loads a client library;
 * `openClickHouse` in `./open.js` does.
 */
export const clickhouse = {
  tableSink,
  upsertSink,
  metricsSink,
  querySource,
  tableLookup,

  /**
   * A materialized view over a sink's table, for the sink's `views`. Its result is computed from the rows that the table shows, so
   * a row that was written twice counts once.
   *
   * @example
   * clickhouse.view({ name: 'flights_by_origin', as: 'SELECT origin, count() AS n FROM flights GROUP BY origin', every: minutes(5), orderBy: ['origin'] })
   */
  view: tableView.make,
} as const;
