/**
 * How many letters must be put in, left out, exchanged for others, or swapped with their neighbour to make one word of another: the
 * Damerau-Levenshtein distance, where a swapped pair may be edited further (R. Lowrance and R. A. Wagner, "An Extension of
 * the String-to-String Correction Problem", 1975). Words come as lists of code points.
 *
 * Gives `max + 1` for every distance above `max`, and stops as soon as that is certain. Time: product of the lengths.
 *
 * @example
 * editDistance([...'chigaco'], [...'chicago'], 2); // 2: two letters exchanged, no neighbours
 * editDistance([...'bostno'], [...'boston'], 2); // 1: the last two swapped
 */
export function editDistance(a: readonly string[], b: readonly string[], max: number): number {
  const [n, m] = [a.length, b.length];
  if (Math.abs(n - m) > max) return max + 1;
  // Row and column 0 stand before the empty beginning: no path leads through them.
  const width = m + 2;
  const never = n + m + 1;
  const cost = new Int32Array((n + 2) * width).fill(never);
  for (let j = 0; j <= m; j++) cost[width + j + 1] = j;
  /** The last row in which each letter stood. */
  const lastRow = new Map<string, number>();
  for (let i = 1; i <= n; i++) {
    const letter = a[i - 1] as string;
    const row = (i + 1) * width;
    cost[row + 1] = i;
    let rowMin = i;
    /** The last column of this row in which the letters were equal. */
    let lastColumn = 0;
    for (let j = 1; j <= m; j++) {
      const other = b[j - 1] as string;
      const swapRow = lastRow.get(other) ?? 0;
      const swapColumn = lastColumn;
      const equal = letter === other;
      if (equal) lastColumn = j;
      const here = Math.min(
        (cost[row - width + j] as number) + (equal ? 0 : 1),
        (cost[row - width + j + 1] as number) + 1,
        (cost[row + j] as number) + 1,
        (cost[swapRow * width + swapColumn] as number) + (i - swapRow - 1) + 1 + (j - swapColumn - 1),
      );
      cost[row + j + 1] = here;
      if (here < rowMin) rowMin = here;
    }
    // A later row cannot be lower than this one: a swap costs no less than leaving out the rows between.
    if (rowMin > max) return max + 1;
    lastRow.set(letter, i);
  }
  return Math.min(cost[(n + 1) * width + m + 1] as number, max + 1);
}
