import type { Float64Cell } from '../../state/index.js';
import { binnedRocAuc, scoreBin } from './roc-auc.js';

/** A measure of a window; `NaN` where it has no value. */
export type Measure = readonly [name: string, value: number];

/** Numbers, and who is told which of them was written: a state cell, or nobody. */
export type Sums = Pick<Float64Cell, 'values' | 'touch'>;

/** How predictions are scored by labels: sums in a slice of numbers that a state cell may own. */
export interface Judge {
  /** Numbers that a prediction of the model takes; one of a baseline takes one. */
  readonly width: number;
  /** Numbers kept a scorer. */
  readonly size: number;
  /** Adds one prediction, which lies at `said[from...]`, to the scorer's numbers, which lie at `start`. */
  add(sums: Sums, start: number, said: ArrayLike<number>, from: number, truth: number, isModel: boolean): void;
  measures(sums: Float64Array, labelled: number, isModel: boolean): readonly Measure[];
  /** What is measured of the labels themselves. */
  ofLabels(labelled: number, labelSum: number): readonly Measure[];
}

/** Score bins of the ROC AUC of a window. */
const BINS = 512;

/** Probabilities closer to 0 or 1 than this are clamped, so that one sure and wrong prediction costs 34.5, not infinity. */
const EDGE = 1e-15;
// Simple baselines are sure most of the time: these two need not be computed again.
const AT_EDGE = -Math.log(EDGE);
const AT_OTHER_EDGE = -Math.log(1 - EDGE);

/**
 * The log loss of one prediction, in nats: `-ln` of the probability that was given to what happened.
 *
 * @example logLossOf(0.5, true); // 0.6931471805599453
 */
export function logLossOf(probability: number, label: boolean): number {
  const given = label ? probability : 1 - probability;
  if (given <= EDGE) return AT_EDGE;
  return given >= 1 - EDGE ? AT_OTHER_EDGE : -Math.log(given);
}

const bump = (sums: Sums, at: number, by: number): void => {
  sums.values[at] = (sums.values[at] as number) + by;
  sums.touch(at);
};

/**
 * Probabilities against true and false: log loss, ROC AUC from score bins, and the accuracy of the model.
 * Memory: 2 + 2 numbers a bin and scorer.
 */
export const binaryJudgeOf = (bins: number): Judge =>
  Object.freeze({
    width: 1,
    size: 2 + 2 * bins,
    add(sums, start, said, from, truth) {
      const probability = said[from] as number;
      const label = truth === 1;
      bump(sums, start, logLossOf(probability, label));
      if (probability > 0.5 === label) bump(sums, start + 1, 1);
      bump(sums, start + 2 + (label ? 0 : bins) + scoreBin(probability, bins), 1);
    },
    measures(sums, labelled, isModel) {
      return [
        ['log_loss', (sums[0] as number) / labelled],
        ['roc_auc', binnedRocAuc(sums.subarray(2, 2 + bins), sums.subarray(2 + bins))],
        ['accuracy', isModel ? (sums[1] as number) / labelled : Number.NaN],
      ];
    },
    ofLabels: (_labelled, positives) => [['positives', positives]],
  } satisfies Judge);

export const binaryJudge: Judge = binaryJudgeOf(BINS);

/** Numbers against numbers: mean absolute error, root of the mean squared error. Memory: two numbers a scorer. */
export const numberJudge: Judge = Object.freeze({
  width: 1,
  size: 2,
  add(sums, start, said, from, truth) {
    const off = (said[from] as number) - truth;
    bump(sums, start, Math.abs(off));
    bump(sums, start + 1, off * off);
  },
  measures: (sums, labelled) => [
    ['mae', (sums[0] as number) / labelled],
    ['rmse', Math.sqrt((sums[1] as number) / labelled)],
  ],
  ofLabels: (labelled, sum) => [['label_mean', sum / labelled]],
} satisfies Judge);

/** The place of the greatest score; the first of equal ones. */
export function greatest(scores: ArrayLike<number>, from: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if ((scores[from + i] as number) > (scores[from + best] as number)) best = i;
  return best;
}

/**
 * Scores of classes against classes: accuracy, the log loss of the model, and its F1 averaged over the classes that labels or
 * predictions had. A baseline says a class. Memory: 1 + 3 numbers a class and scorer.
 */
export function classJudge(classes: number): Judge {
  return Object.freeze({
    width: classes,
    size: 1 + 3 * classes,
    add(sums, start, said, from, truth, isModel) {
      const predicted = isModel ? greatest(said, from, classes) : (said[from] as number);
      if (isModel) bump(sums, start, logLossOf(said[from + truth] as number, true));
      // Of a class: right predictions, labels, predictions.
      if (predicted === truth) bump(sums, start + 1 + truth, 1);
      bump(sums, start + 1 + classes + truth, 1);
      bump(sums, start + 1 + 2 * classes + predicted, 1);
    },
    measures(sums, labelled, isModel) {
      let right = 0;
      let f1 = 0;
      let seen = 0;
      for (let c = 0; c < classes; c++) {
        const hits = sums[1 + c] as number;
        const claims = (sums[1 + classes + c] as number) + (sums[1 + 2 * classes + c] as number);
        right += hits;
        if (claims === 0) continue;
        seen += 1;
        f1 += (2 * hits) / claims;
      }
      return [
        ['accuracy', right / labelled],
        ['log_loss', isModel ? (sums[0] as number) / labelled : Number.NaN],
        ['macro_f1', f1 / seen],
      ];
    },
    ofLabels: () => [],
  } satisfies Judge);
}
