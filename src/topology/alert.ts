import type { Duration } from '../core/duration.js';

/**
 * Measures of a whole run that an alert can watch. The measure of a step is named `STEP/NAME`, such as `delay-model/roc_auc`: the mean of
 * its newest values over the tasks. What a step counts is named `STEP/COUNTER_in_10_minutes`, such as `drift/drifts_in_10_minutes`.
 */
export const alertMeasures = [
  'lag_records',
  'event_time_lag_seconds',
  'records_per_second',
  'dead_letters_per_second',
  'sink_down_seconds',
  'restarts_in_10_minutes',
  'blocked_share',
] as const;

/**
 * When somebody is told about a run. It fires when the measure is beyond the threshold, and has not come back for `for`. It is resolved
 * when the measure has been back by a tenth of the threshold for as long, so that a value that wavers fires once.
 *
 * @example
 * const late: AlertRule = { measure: 'lag_records', above: 100_000, for: minutes(5), severity: 'critical' };
 */
export interface AlertRule {
  /** One of `alertMeasures`, `STEP/NAME`, or `STEP/COUNTER_in_10_minutes`. */
  readonly measure: (typeof alertMeasures)[number] | `${string}/${string}`;
  /** It fires above this value. A rule has either `above` or `below`. */
  readonly above?: number;
  /** It fires below this value. */
  readonly below?: number;
  readonly for: Duration;
  readonly severity: 'info' | 'warning' | 'critical';
}
