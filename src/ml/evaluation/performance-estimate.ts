import { logLossOf } from '../metrics/probabilities/log-loss.js';
import { binnedRocAuc } from '../metrics/probabilities/roc-auc.js';
import { scoreBin } from '../metrics/probabilities/score-table.js';

/** Metrics of decisions and probabilities, as they are expected without labels, and by labels. */
export interface Performance {
  readonly predicted: number;
  readonly labelled: number;
  readonly expectedRocAuc: number | null;
  readonly expectedLogLoss: number | null;
  readonly expectedAccuracy: number | null;
  readonly expectedPrecision: number | null;
  readonly expectedRecall: number | null;
  readonly rocAuc: number | null;
  readonly logLoss: number | null;
  readonly accuracy: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
}

/** Sums over predictions, and over those with labels; of both the true and the false ones, expected or known, by bin of the score. */
export interface PerformanceSums {
  readonly expected: Float64Array;
  readonly known: Float64Array;
}

const BINS = 256;
/** Rows, sum of log losses; right decisions, decisions for true, true ones of those, true ones; then the bins. */
const ROWS = 0;
const LOSS = 1;
const RIGHT = 2;
const CLAIMED = 3;
const HITS = 4;
const TRUE = 5;
const HEAD = 6;
const SIZE = HEAD + 2 * BINS;

export const emptyPerformance = (): PerformanceSums => ({
  expected: new Float64Array(SIZE),
  known: new Float64Array(SIZE),
});

/** Adds a row whose label is true with a probability. */
function add(sums: Float64Array, said: number, isTrue: number, threshold: number): void {
  const claims = said > threshold;
  const bump = (at: number, by: number): void => {
    sums[at] = (sums[at] as number) + by;
  };
  bump(ROWS, 1);
  if (isTrue > 0) bump(LOSS, isTrue * logLossOf(said, true));
  if (isTrue < 1) bump(LOSS, (1 - isTrue) * logLossOf(said, false));
  bump(RIGHT, claims ? isTrue : 1 - isTrue);
  bump(TRUE, isTrue);
  if (claims) {
    bump(CLAIMED, 1);
    bump(HITS, isTrue);
  }
  const bin = scoreBin(said, BINS);
  bump(HEAD + bin, isTrue);
  bump(HEAD + BINS + bin, 1 - isTrue);
}

/** Adds a prediction: what was said, and how often such a one comes true. */
export const addEstimate = (sums: PerformanceSums, said: number, calibrated: number, threshold: number): void =>
  add(sums.expected, said, calibrated, threshold);

/** Adds what a prediction turned out to be. */
export const addLabel = (sums: PerformanceSums, said: number, isTrue: boolean, threshold: number): void =>
  add(sums.known, said, Number(isTrue), threshold);

/**
 * The metrics by sums of expected and of known labels: a row whose label is true with a probability of 0.8 is 0.8 of a true row and 0.2 of a
 * false one.
 *
 * @example performanceOf(sums).expectedRocAuc; // 0.81
 */
export function performanceOf({ expected, known }: PerformanceSums): Performance {
  const [before, after] = [metricsOf(expected), metricsOf(known)];
  return {
    predicted: expected[ROWS] as number,
    labelled: known[ROWS] as number,
    expectedRocAuc: before.rocAuc,
    expectedLogLoss: before.logLoss,
    expectedAccuracy: before.accuracy,
    expectedPrecision: before.precision,
    expectedRecall: before.recall,
    ...after,
  };
}

const share = (part: number | undefined, whole: number | undefined): number | null =>
  whole === undefined || whole <= 0 ? null : (part as number) / whole;

function metricsOf(sums: Float64Array) {
  const auc = binnedRocAuc(sums.subarray(HEAD, HEAD + BINS), sums.subarray(HEAD + BINS));
  return {
    rocAuc: Number.isFinite(auc) ? auc : null,
    logLoss: share(sums[LOSS], sums[ROWS]),
    accuracy: share(sums[RIGHT], sums[ROWS]),
    precision: share(sums[HITS], sums[CLAIMED]),
    recall: share(sums[HITS], sums[TRUE]),
  };
}
