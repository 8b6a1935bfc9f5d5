import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { ScoredBy } from '../labelled.js';
import { type ReliabilityBin, type ReliabilityOptions, reliabilityMetric } from './reliability-bins.js';

/**
 * The reliability diagram as rows: of each bin of confidence, how confident predictions were and how often they came true. A model is
 * calibrated if both are equal.
 *
 * @example
 * const scores = { diagram: reliability({ bins: 10 }) };
 * // diagram: [{ from: 0.2, to: 0.3, rows: 2, weight: 2, predicted: 0.25, happened: 0 }, ...]
 *
 * Of `classes` the confidence is the greatest score, and it comes true if the label is that class. Bins without rows are left out.
 * Retracts. Memory: seven numbers a bin.
 */
export const reliability = <O extends ReliabilityOptions = { bins?: number }>(
  options?: O,
): Aggregate<ScoredBy<O>, readonly ReliabilityBin[] | null> =>
  reliabilityMetric('reliability', (options ?? {}) as O, (bins) => bins);
