/**
 * ROC AUC of a batch, exactly: the chance that a row that happened was scored above one that did not, ties counting
 * half (the Mann-Whitney statistic over average ranks). `NaN` where one of the two classes is missing or a score is `NaN`.
 * Takes `n log n` time and copies the batch once: for bounded batches.
 *
 * @example rocAuc([0.9, 0.4, 0.4, 0.1], [true, true, false, false]); // 0.875
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<boolean>): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  if (order.some((i) => Number.isNaN(scores[i]))) return Number.NaN; // NaN has no rank
  order.sort((a, b) => compare(scores[a] as number, scores[b] as number));
  let positives = 0;
  let below = 0; // rows that did not happen, scored lower than the ties in hand
  let pairs = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] as number];
    let happened = 0;
    let end = start;
    for (; end < order.length && scores[order[end] as number] === score; end++)
      if (labels[order[end] as number]) happened++;
    const not = end - start - happened;
    pairs += happened * (below + not / 2);
    positives += happened;
    below += not;
    start = end;
  }
  return pairs / (positives * below);
}

/** Infinities compare too: their difference is NaN. */
const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Counts of scored rows by score bin: a window over any number of rows takes the same space. */
export interface RocBins {
  /** Rows that happened, by bin of equal width over [0, 1]. */
  readonly positives: Float64Array;
  /** Rows that did not. */
  readonly negatives: Float64Array;
}

export const emptyRocBins = (bins = 512): RocBins => ({
  positives: new Float64Array(bins),
  negatives: new Float64Array(bins),
});

/** The bin of a probability; what is not a number lands in the first. */
export function scoreBin(probability: number, bins: number): number {
  const bin = Math.floor(probability * bins);
  return bin > 0 ? Math.min(bin, bins - 1) : 0;
}

/** Adds a row, in place. */
export function addRocBins(into: RocBins, probability: number, label: boolean): void {
  const side = label ? into.positives : into.negatives;
  const bin = scoreBin(probability, side.length);
  side[bin] = (side[bin] as number) + 1;
}

/** The counts over the rows of both; both must have as many bins. */
export function mergeRocBins(a: RocBins, b: RocBins): RocBins {
  return {
    positives: a.positives.map((count, i) => count + (b.positives[i] as number)),
    negatives: a.negatives.map((count, i) => count + (b.negatives[i] as number)),
  };
}

/**
 * ROC AUC from score bins: rows of one bin count as ties. `errorMax` is the proven bound on what that can cost: half
 * the share of pairs that fell into one bin. Both are `NaN` where a class is missing.
 *
 * @example
 * const bins = emptyRocBins();
 * addRocBins(bins, 0.9, true);
 * addRocBins(bins, 0.1, false);
 * binnedRocAuc(bins); // { rocAuc: 1, errorMax: 0 }
 */
export function binnedRocAuc({ positives, negatives }: RocBins): {
  readonly rocAuc: number;
  readonly errorMax: number;
} {
  let happened = 0;
  let below = 0;
  let pairs = 0;
  let tied = 0;
  for (let bin = 0; bin < positives.length; bin++) {
    const yes = positives[bin] as number;
    const no = negatives[bin] as number;
    pairs += yes * (below + no / 2);
    tied += yes * no;
    happened += yes;
    below += no;
  }
  return { rocAuc: pairs / (happened * below), errorMax: tied / 2 / (happened * below) };
}
