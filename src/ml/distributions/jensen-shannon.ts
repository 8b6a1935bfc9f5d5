import { totalOf } from './weighted.js';

/**
 * The distance of Jensen and Shannon: the root of the mean of how far, in bits, two distributions are from the middle of both. From 0 to 1;
 * 1 if no bin has values of both.
 *
 * @example jensenShannon([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]); // 0.0817
 *
 * Both are counts of the same bins. Tools that use natural logarithms give 0.83 times as much. NaN if one side is empty.
 * Source: Endres and Schindelin, "A new metric for probability distributions", 2003.
 */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [allA, allB] = [totalOf(a), totalOf(b)];
  if (allA === 0 || allB === 0) return Number.NaN;
  let bits = 0;
  for (let i = 0; i < a.length; i++) {
    const p = (a[i] as number) / allA;
    const q = (b[i] as number) / allB;
    const middle = (p + q) / 2;
    if (p > 0) bits += (p * Math.log2(p / middle)) / 2;
    if (q > 0) bits += (q * Math.log2(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, bits));
}
