import type { ConfidenceInterval } from '../../core/record.js';

// How sure a metric is of its rows: 95 % intervals from what its sums have, for rows that are independent and count the same.

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;
/** With fewer rows a mean is not nearly normal. */
const MEAN_ROWS_MIN = 30;
/** With fewer rows of a class the error of a ROC AUC is not known. */
const CLASS_ROWS_MIN = 10;

/**
 * The interval of a share, from how many of how many rows are right: within 0 and 1, and of use for few rows and shares near the ends.
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), the score interval.
 *
 * @example shareInterval(8, 10); // [0.4902, 0.9433]
 */
export function shareInterval(right: number, rows: number): ConfidenceInterval | undefined {
  if (!(rows > 0)) return undefined;
  const share = right / rows;
  const shrink = 1 + Z ** 2 / rows;
  const middle = (share + Z ** 2 / (2 * rows)) / shrink;
  const off = (Z / shrink) * Math.sqrt((share * (1 - share)) / rows + (Z / (2 * rows)) ** 2);
  return [Math.max(0, middle - off), Math.min(1, middle + off)];
}

/**
 * The interval of a mean, from the mean of the squares: by the central limit theorem, with the unbiased variance. None of fewer than 30 rows.
 *
 * @example meanInterval(3, 25, 100); // [2.2121, 3.7879]
 */
export function meanInterval(mean: number, meanOfSquares: number, rows: number): ConfidenceInterval | undefined {
  if (!(rows >= MEAN_ROWS_MIN)) return undefined;
  const off = Z * Math.sqrt(Math.max(0, meanOfSquares - mean ** 2) / (rows - 1));
  return [mean - off, mean + off];
}

/**
 * The interval of a ROC AUC, from how many rows happened and how many did not. None of fewer than 10 of either, nor of 0 and 1, whose error the
 * formula takes for 0. Source: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
 * Radiology 143 (1982), their standard error, with the normal approximation.
 *
 * @example rocAucInterval(0.75, 50, 200); // [0.6668, 0.8332]
 */
export function rocAucInterval(auc: number, happened: number, not: number): ConfidenceInterval | undefined {
  if (!(happened >= CLASS_ROWS_MIN && not >= CLASS_ROWS_MIN && auc > 0 && auc < 1)) return undefined;
  // The chance that two that happened are both above one that did not, and that one is above two.
  const twoAbove = auc / (2 - auc);
  const aboveTwo = (2 * auc ** 2) / (1 + auc);
  const variance = auc * (1 - auc) + (happened - 1) * (twoAbove - auc ** 2) + (not - 1) * (aboveTwo - auc ** 2);
  const off = Z * Math.sqrt(variance / (happened * not));
  return [Math.max(0, auc - off), Math.min(1, auc + off)];
}
