/** Values in ascending order, each once, and how often each occurs. */
export interface Weighted {
  readonly values: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

export function totalOf(weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] as number;
  return total;
}

/**
 * Goes through the values of two samples in ascending order: at each, the shares of both that are not above it, and how far the next
 * value is (0 at the last).
 */
export function eachStep(a: Weighted, b: Weighted, use: (shareA: number, shareB: number, step: number) => void): void {
  const [allA, allB] = [totalOf(a.weights), totalOf(b.weights)];
  const next = (of: Weighted, i: number): number =>
    i < of.values.length ? (of.values[i] as number) : Number.POSITIVE_INFINITY;
  let [i, j, upToA, upToB] = [0, 0, 0, 0];
  for (;;) {
    const x = Math.min(next(a, i), next(b, j));
    if (x === Number.POSITIVE_INFINITY) return;
    if (next(a, i) === x) upToA += a.weights[i++] as number;
    if (next(b, j) === x) upToB += b.weights[j++] as number;
    const after = Math.min(next(a, i), next(b, j));
    use(upToA / allA, upToB / allB, after === Number.POSITIVE_INFINITY ? 0 : after - x);
  }
}
