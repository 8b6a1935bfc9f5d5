import { connectorKind, type OptionsOf, problemsOf, required, settingsOf } from '../../src/core/options.js';
import type { MetricRow } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import { name } from './table/column-options.js';

export const metricsKind = connectorKind({
  kind: 'clickhouse.metricsSink',
  role: 'sink',
  doc: 'Writes the metrics and counters of every step as rows.',
  options: {
    table: required(name, 'The name to read from, with the columns topology, step, task, name, eventTime, value.'),
  },
});

/** Options of `clickhouse.metricsSink`. */
export type ClickHouseMetricsOptions = OptionsOf<typeof metricsKind.options>;

/**
 * Keeps the measurements and counters of every step as rows (topology, step, task, name, eventTime, value); one
 * that speaks of the same point of event time replaces the earlier one.
 *
 * @example
 * topology('flights', { deadLetters, metrics: clickhouse.metricsSink({ table: 'metrics' }) }, build);
 */
export const metricsSink = (options: ClickHouseMetricsOptions): Sink<MetricRow> =>
  Object.freeze({
    connector: 'clickhouse',
    kind: metricsKind.kind,
    settings: settingsOf(metricsKind, options),
    problems: problemsOf(metricsKind, options),
    options: Object.freeze({ table: options.table }),
  });
