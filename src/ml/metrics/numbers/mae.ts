import type { Aggregate } from '../../../aggregates/aggregate.js';
import { meanMetric } from '../metric.js';
import { errorOf, type NumberRow } from './number-row.js';

/**
 * Mean absolute error of predicted numbers.
 *
 * @example
 * const scores = { minutesOff: mae() };
 *
 * Numbers beyond 1e90 are ignored. Retracts. Memory: six numbers.
 */
export const mae = (): Aggregate<NumberRow, number | null> => meanMetric('mae', 'mae', (row) => Math.abs(errorOf(row)));
