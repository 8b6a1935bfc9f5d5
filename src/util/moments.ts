// Running mean and variance by Welford's update: no cancellation, unlike sums of squares. Source: Welford, "Note on a method for
// calculating corrected sums of squares and products", Technometrics 4 (1962). Nothing here allocates.

/** The mean after `x` was added as the `n`-th value; with a negative `n`, after `x` was removed and `-n` values are left. */
export function nextMean(mean: number, x: number, n: number): number {
  return mean + (x - mean) / n;
}

/** The same for values up to the largest numbers, whose difference would overflow: two quotients, one rounding more. */
export function nextMeanOfAnySize(mean: number, x: number, n: number): number {
  return mean + (x / n - mean / n);
}

/** The increase of the sum of squared distances from the mean by `x`, given the means before and after. */
export function squaredDistance(x: number, before: number, after: number): number {
  return (x - before) * (x - after);
}

/** An array with moments at some index: the count, the mean, the sum of squared distances from the mean. */
export type Moments = Float64Array | number[];

export const MOMENTS_SIZE = 3;

export function clearMoments(into: Moments, at: number): void {
  into[at] = 0;
  into[at + 1] = 0;
  into[at + 2] = 0;
}

export function addToMoments(into: Moments, at: number, x: number, weight = 1): void {
  const n = (into[at] as number) + weight;
  const before = into[at + 1] as number;
  const after = before + ((x - before) * weight) / n;
  into[at] = n;
  into[at + 1] = after;
  into[at + 2] = (into[at + 2] as number) + weight * squaredDistance(x, before, after);
}

/** Removes a value by the reverse update, which loses digits if most of the values are removed. */
export function removeFromMoments(into: Moments, at: number, x: number): void {
  const n = (into[at] as number) - 1;
  if (n <= 0) {
    clearMoments(into, at);
    return;
  }
  const before = into[at + 1] as number;
  const after = nextMean(before, x, -n);
  into[at] = n;
  into[at + 1] = after;
  into[at + 2] = (into[at + 2] as number) - squaredDistance(x, before, after);
}

/**
 * Merges other moments, which do not change. Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
 * computing sample variances" (1979).
 */
export function mergeMoments(into: Moments, at: number, from: Moments, fromAt: number): void {
  const before = into[at] as number;
  const more = from[fromAt] as number;
  if (more === 0) return;
  const n = before + more;
  const apart = (from[fromAt + 1] as number) - (into[at + 1] as number);
  into[at + 2] = (into[at + 2] as number) + (from[fromAt + 2] as number) + (apart * apart * (before * more)) / n;
  into[at + 1] = (into[at + 1] as number) + (apart * more) / n;
  into[at] = n;
}

/** Takes back a merge. It loses digits, so that a sum of squares below 0 is 0. */
export function subtractMoments(into: Moments, at: number, from: Moments, fromAt: number): void {
  const before = into[at] as number;
  const less = from[fromAt] as number;
  const n = before - less;
  if (n <= 0) {
    clearMoments(into, at);
    return;
  }
  const mean = (into[at + 1] as number) + (((into[at + 1] as number) - (from[fromAt + 1] as number)) * less) / n;
  const apart = (from[fromAt + 1] as number) - mean;
  const squares = (into[at + 2] as number) - (from[fromAt + 2] as number) - (apart * apart * (n * less)) / before;
  into[at + 2] = Math.max(0, squares);
  into[at + 1] = mean;
  into[at] = n;
}

/** The sample variance; 0 for a weight of 1 or less. */
export function varianceOf(moments: Moments, at: number): number {
  const n = moments[at] as number;
  return n > 1 ? (moments[at + 2] as number) / (n - 1) : 0;
}
