import { eachStep, type Weighted } from './weighted.js';

/**
 * The distance of Kolmogorov and Smirnov: the greatest difference between the shares of two samples that are not above a value. From 0 to 1,
 * whatever the unit is.
 *
 * @example kolmogorovSmirnov({ values: [1, 2], weights: [1, 1] }, { values: [2, 3], weights: [1, 1] }); // 0.5
 *
 * NaN if a sample is empty. Source: Smirnov, "Table for estimating the goodness of fit of empirical distributions", 1948.
 */
export function kolmogorovSmirnov(a: Weighted, b: Weighted): number {
  if (a.values.length === 0 || b.values.length === 0) return Number.NaN;
  let most = 0;
  eachStep(a, b, (shareA, shareB) => {
    most = Math.max(most, Math.abs(shareA - shareB));
  });
  return most;
}
