import type { Aggregate } from '../../../aggregates/aggregate.js';
import { meanMetric } from '../metric.js';
import { errorOf, type NumberRow } from './number-row.js';

/**
 * Root of the mean squared error of predicted numbers: large errors count more than in `mae`.
 *
 * @example
 * const scores = { minutesOff: rmse() };
 *
 * Numbers beyond 1e90 are ignored. Retracts. Memory: six numbers.
 */
export const rmse = (): Aggregate<NumberRow, number | null> =>
  meanMetric('rmse', 'rmse', (row) => errorOf(row) ** 2, root);

/** Rounding may leave a mean of squares just below 0 once rows were taken back. */
const root = {
  finish: (mean: number): number => Math.sqrt(Math.max(0, mean)),
  sql: (mean: string): string => `sqrt(greatest(0, ${mean}))`,
};
