import type { Aggregate } from '../../../aggregates/aggregate.js';
import { meanMetric } from '../metric.js';
import { errorOf, type NumberRow } from './number-row.js';

/**
 * Quantile (pinball) loss: what is lost by predicting a quantile of numbers. A label above the prediction costs `at` a unit, one below it
 * `1 - at`, so the true quantile at `at` loses least.
 *
 * @example
 * const scores = { p90: quantileLoss({ at: 0.9 }) };
 *
 * Numbers beyond 1e90 are ignored. Retracts. Memory: six numbers. Source: Koenker and Bassett, "Regression quantiles", 1978.
 */
export const quantileLoss = ({ at }: { readonly at: number }): Aggregate<NumberRow, number | null> =>
  meanMetric(
    'quantile loss',
    `quantile loss at ${at}`,
    (row) => {
      const off = errorOf(row);
      return off > 0 ? (1 - at) * off : -at * off;
    },
    undefined,
    at > 0 && at < 1
      ? []
      : [{ message: `a quantile at ${at}`, hint: 'quantiles are between 0 and 1: 0.9 for the 90th percentile' }],
  );
