import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { ScoredBy } from '../labelled.js';
import { type ReliabilityBin, type ReliabilityOptions, reliabilityMetric } from './reliability-bins.js';

/** How the gaps of bins become one number: their mean, the root of their mean square, or the greatest. */
export type CalibrationNorm = 'l1' | 'l2' | 'max';

/**
 * Expected calibration error (ECE): the mean gap, over bins, between how confident predictions were and how often they came true.
 *
 * @example
 * const scores = { ece: calibrationError(), worst: calibrationError({ bins: 10, norm: 'max' }) };
 *
 * Bins are of equal width and count by their weight (`norm: 'l1'`). More bins find more, and more chance too: compare only what has as many
 * rows. Of `classes` it is that of the class that is decided for. Retracts. Memory: seven numbers a bin.
 * Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
 */
export const calibrationError = <
  O extends ReliabilityOptions & { readonly norm?: CalibrationNorm } = { bins?: number },
>(
  options?: O,
): Aggregate<ScoredBy<O>, number | null> => {
  const { norm = 'l1' } = options ?? {};
  return reliabilityMetric(`calibration error ${norm}`, (options ?? {}) as O, read[norm], sql[norm]);
};

const gapOf = ({ predicted, happened }: ReliabilityBin): number => Math.abs(predicted - happened);

const meanOf = (bins: readonly ReliabilityBin[], of: (bin: ReliabilityBin) => number): number =>
  bins.reduce((sum, bin) => sum + bin.weight * of(bin), 0) / bins.reduce((sum, { weight }) => sum + weight, 0);

const read: Readonly<Record<CalibrationNorm, (bins: readonly ReliabilityBin[]) => number>> = {
  l1: (bins) => meanOf(bins, gapOf),
  l2: (bins) => Math.sqrt(meanOf(bins, (bin) => gapOf(bin) ** 2)),
  max: (bins) => bins.reduce((most, bin) => Math.max(most, gapOf(bin)), 0),
};

const GAP = 'abs(b.3 - b.2)';
const meanSql =
  (of: string): ((bins: string) => string) =>
  (bins) =>
    `arraySum(b -> ${of}, ${bins}) / arraySum(b -> b.1, ${bins})`;

const sql: Readonly<Record<CalibrationNorm, (bins: string) => string>> = {
  l1: meanSql(GAP),
  l2: (bins) => `sqrt(${meanSql(`${GAP} * ${GAP} / b.1`)(bins)})`,
  max: (bins) => `arrayMax(b -> ${GAP} / b.1, ${bins})`,
};
