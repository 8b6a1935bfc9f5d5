import { eachStep, type Weighted } from './weighted.js';

/**
 * The first Wasserstein distance: how far, on average, the values of one sample must be moved to become those of the other. In the unit
 * of the values.
 *
 * @example wasserstein({ values: [1, 2], weights: [1, 1] }, { values: [2, 3], weights: [1, 1] }); // 1
 *
 * NaN if a sample is empty. Source: Vallender, "Calculation of the Wasserstein distance between probability distributions on the line", 1974.
 */
export function wasserstein(a: Weighted, b: Weighted): number {
  if (a.values.length === 0 || b.values.length === 0) return Number.NaN;
  let moved = 0;
  eachStep(a, b, (shareA, shareB, step) => {
    moved += Math.abs(shareA - shareB) * step;
  });
  return moved;
}
