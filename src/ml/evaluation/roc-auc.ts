/** The bin of a probability; what is not a number lands in the first. */
export function scoreBin(probability: number, bins: number): number {
  const bin = Math.floor(probability * bins);
  return bin > 0 ? Math.min(bin, bins - 1) : 0;
}

/**
 * ROC AUC from counts by score bin, of rows that happened and rows that did not: the chance that a row that happened was scored
 * above one that did not. Rows of one bin count as ties, which can cost half the share of the pairs within bins. `NaN` if a class
 * is missing.
 *
 * @example binnedRocAuc([0, 2], [1, 1]); // 0.75
 */
export function binnedRocAuc(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  let happened = 0;
  let below = 0;
  let pairs = 0;
  for (let bin = 0; bin < positives.length; bin++) {
    const yes = positives[bin] as number;
    const no = negatives[bin] as number;
    pairs += yes * (below + no / 2);
    happened += yes;
    below += no;
  }
  return pairs / (happened * below);
}
