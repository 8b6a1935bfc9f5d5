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
 * Tables as outputs and inputs of a topology, and rows to look up: inert data, read by the profile that runs it. Nothing here
 * connects to anything, and no client library is loaded; `openClickHouse` in `./open.js` is where that happens.
 */
export const clickhouse = {
  tableSink,
  upsertSink,
  metricsSink,
  querySource,
  tableLookup,

  /**
   * A query over a sink's table that is kept beside it, for the sink's `views`. Its result is computed from what the table shows, so
   * rows that were written again count once.
   *
   * @example
   * clickhouse.view({ name: 'flights_by_origin', as: 'SELECT origin, count() AS n FROM flights GROUP BY origin', every: minutes(5), orderBy: ['origin'] })
   */
  view: tableView.make,
} as const;
