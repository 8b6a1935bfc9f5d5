import { sinkOf } from '../../src/connect/make.js';
import type { OptionsOf } from '../../src/core/options.js';
import type { MetricRow } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { metricsKind } from './kinds.js';

/** Options of `clickhouse.metricsSink`. */
export type ClickHouseMetricsOptions = OptionsOf<typeof metricsKind.options>;

/**
 * Writes the measurements and counters of every step as rows (topology, step, task, name, eventTime, value, slice, version). A row
 * replaces an earlier one for the same event time, slice and version. A table of an earlier release gets the two columns.
 *
 * @example
 * topology('flights', { deadLetters, metrics: clickhouse.metricsSink({ table: 'metrics' }) }, build);
 */
export const metricsSink = (options: ClickHouseMetricsOptions): Sink<MetricRow> =>
  sinkOf(definition.kinds.metricsSink, options, {
    options: { table: options.table },
  });
