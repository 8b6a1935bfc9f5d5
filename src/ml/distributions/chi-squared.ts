import { totalOf } from './weighted.js';

/** The result of a test: the statistic, its degrees of freedom, and how likely as much is by chance. */
export interface ChiSquared {
  readonly statistic: number;
  readonly freedom: number;
  readonly probability: number;
}

/**
 * The chi-squared test of homogeneity: whether two samples may be of one distribution over bins.
 *
 * @example chiSquared([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]); // { statistic: 1.62, freedom: 5, probability: 0.90 }
 *
 * Both are counts of the same bins; bins that are empty on both sides are left out. It finds any difference if there are rows enough: of
 * thousands of rows look at a distance, too. The probability is that of many rows; below 5 rows a bin it is rough. NaN if one side is empty.
 * Source: Pearson, "On the criterion that a given system of deviations...", 1900.
 */
export function chiSquared(a: ArrayLike<number>, b: ArrayLike<number>): ChiSquared {
  const [allA, allB] = [totalOf(a), totalOf(b)];
  if (allA === 0 || allB === 0) return { statistic: Number.NaN, freedom: 0, probability: Number.NaN };
  let statistic = 0;
  let bins = 0;
  for (let i = 0; i < a.length; i++) {
    const [inA, inB] = [a[i] as number, b[i] as number];
    const both = inA + inB;
    if (both === 0) continue;
    bins += 1;
    const expected = (both * allA) / (allA + allB);
    // Both samples are off by the same number of rows.
    statistic += (inA - expected) ** 2 * (1 / expected + 1 / (both - expected));
  }
  const freedom = bins - 1;
  return { statistic, freedom, probability: freedom === 0 ? 1 : chiSquaredTail(statistic, freedom) };
}

/** Sums above it are divided by it: those of thousands of degrees of freedom are beyond the largest number. */
const SCALE = 1e200;

/**
 * The probability that a chi-squared number is greater, by the sum that it is for whole degrees of freedom. The factor e^-y, y half the
 * statistic, is in no term of the sum, since it is 0 as a number where the probability is not.
 *
 * @example chiSquaredTail(3.84, 1); // 0.05
 */
export function chiSquaredTail(statistic: number, freedom: number): number {
  const y = statistic / 2;
  const isOdd = freedom % 2 === 1;
  let tail = isOdd ? scaledComplementOfErf(Math.sqrt(y)) : 1;
  let a = isOdd ? 0.5 : 1;
  // y^a / gamma(a + 1)
  let term = isOdd ? 2 * Math.sqrt(y / Math.PI) : y;
  let log = -y;
  for (; a < freedom / 2; a++) {
    tail += term;
    term *= y / (a + 1);
    if (tail < SCALE) continue;
    tail /= SCALE;
    term /= SCALE;
    log += Math.log(SCALE);
  }
  return Math.min(1, Math.exp(Math.log(tail) + log));
}

/** The complement of the error function of a number z that is not negative, times e^(z^2): by its series, or by its continued fraction. */
function scaledComplementOfErf(z: number): number {
  if (z > 3) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / 2 / (z + fraction);
    return 1 / (z + fraction) / Math.sqrt(Math.PI);
  }
  let term = z;
  let sum = z;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return Math.exp(z * z) - (2 / Math.sqrt(Math.PI)) * sum;
}
