import type { ConfidenceInterval, Measured } from '../../core/record.js';
import type { Float64Cell } from '../../state/index.js';
import { meanInterval, rocAucInterval, shareInterval } from '../metrics/intervals.js';
import { greatest } from '../metrics/labelled.js';
import { logLossOf } from '../metrics/probabilities/log-loss.js';
import { binnedRocAuc } from '../metrics/probabilities/roc-auc.js';
import { scoreBin } from '../metrics/probabilities/score-table.js';

/**
 * A measure of a window, and how sure it is, where that is known; `NaN` where it has no value. Over tasks it is weighted by the rows of the window
 * unless it says otherwise.
 */
export type Measure = readonly [
  name: string,
  value: number,
  interval?: ConfidenceInterval | undefined,
  weight?: Measured['weight'],
];

/** How predictions are scored by labels: sums in a slice of a cell's numbers. */
export interface Judge {
  /** Numbers that a prediction of the model takes; one of a baseline takes one. */
  readonly width: number;
  /** Numbers kept a scorer. */
  readonly size: number;
  /** Adds one prediction, which lies at `said[from...]`, to the scorer's numbers, which lie at `start`. */
  add(sums: Float64Cell, start: number, said: ArrayLike<number>, from: number, truth: number, isModel: boolean): void;
  measures(sums: Float64Array, labelled: number, isModel: boolean): readonly Measure[];
  /** What is measured of the labels themselves. */
  ofLabels(labelled: number, labelSum: number): readonly Measure[];
}

/** Score bins of the ROC AUC of a window. */
const BINS = 512;

const bump = (sums: Float64Cell, at: number, by: number): void => {
  sums.values[at] = (sums.values[at] as number) + by;
  sums.touch(at);
};

/** A loop, since `reduce` makes an object of each number. */
function totalOf(numbers: Float64Array): number {
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i] as number;
  return total;
}

/**
 * Probabilities against true and false: log loss, ROC AUC from score bins, and the accuracy of the model.
 * Memory: 2 + 2 numbers a bin and scorer.
 */
export const binaryJudge: Judge = Object.freeze({
  width: 1,
  size: 2 + 2 * BINS,
  add(sums, start, said, from, truth) {
    const probability = said[from] as number;
    const label = truth === 1;
    bump(sums, start, logLossOf(probability, label));
    if (probability > 0.5 === label) bump(sums, start + 1, 1);
    bump(sums, start + 2 + (label ? 0 : BINS) + scoreBin(probability, BINS), 1);
  },
  measures(sums, labelled, isModel) {
    const [loss = 0, right = 0] = sums;
    const happened = sums.subarray(2, 2 + BINS);
    const auc = binnedRocAuc(happened, sums.subarray(2 + BINS));
    const positives = totalOf(happened);
    return [
      ['log_loss', loss / labelled],
      ['roc_auc', auc, rocAucInterval(auc, positives, labelled - positives)],
      ['accuracy', isModel ? right / labelled : Number.NaN, shareInterval(right, labelled)],
    ];
  },
  ofLabels: (_labelled, positives) => [['positives', positives, undefined, 'sum']],
} satisfies Judge);

/** Numbers against numbers: mean absolute error, root of the mean squared error. Memory: two numbers a scorer. */
export const numberJudge: Judge = Object.freeze({
  width: 1,
  size: 2,
  add(sums, start, said, from, truth) {
    const off = (said[from] as number) - truth;
    bump(sums, start, Math.abs(off));
    bump(sums, start + 1, off * off);
  },
  measures(sums, labelled) {
    const [mae, mse] = [(sums[0] as number) / labelled, (sums[1] as number) / labelled];
    return [
      ['mae', mae, meanInterval(mae, mse, labelled)],
      ['rmse', Math.sqrt(mse)],
    ];
  },
  ofLabels: (labelled, sum) => [['label_mean', sum / labelled]],
} satisfies Judge);

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
        ['accuracy', right / labelled, shareInterval(right, labelled)],
        ['log_loss', isModel ? (sums[0] as number) / labelled : Number.NaN],
        ['macro_f1', f1 / seen],
      ];
    },
    ofLabels: () => [],
  } satisfies Judge);
}
