import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import type { ClassLabel } from '../../../core/learner.js';
import { type Labelled, probabilityOf, type ScoresOfClasses, scoreReader } from '../labelled.js';
import { classesText, classProblems, metric, wholeProblems } from '../metric.js';
import { scoreBin } from './score-table.js';

/** The rows of `confidenceHistogram`, by its options: predictions do. */
export type ConfidentBy<O> = Pick<
  O extends { readonly classes: readonly ClassLabel[] } ? Labelled<ScoresOfClasses> : Labelled<number>,
  'prediction' | 'weight'
>;

/** Bins of equal width over probabilities. */
export interface HistogramOptions {
  /** 20 by default, 65,536 at most. */
  readonly bins?: number;
  /** The classes, if a prediction is their scores: the greatest counts. */
  readonly classes?: readonly ClassLabel[];
}

/**
 * A histogram of confidence: the weight of predictions in bins of equal width, from 0 to 1. It needs no labels, so it shows what a model
 * does before they come.
 *
 * @example
 * const scores = { sure: confidenceHistogram({ bins: 4 }) }; // sure: [12, 3, 1, 40]
 *
 * Of `classes` the confidence is the greatest score. Retracts. Memory: two numbers a bin.
 */
export function confidenceHistogram<O extends HistogramOptions = { bins?: number }>(
  options?: O,
): Aggregate<ConfidentBy<O>, readonly number[] | null> {
  const { bins = 20, classes }: HistogramOptions = options ?? {};
  const confidence = classes === undefined ? probabilityOf : greatestOf(classes);
  return metric<Pick<Labelled, 'prediction' | 'weight'>, readonly number[]>(
    'confidence histogram',
    `confidence in ${bins} bins${classesText(classes)}`,
    {
      plain: 2 * bins,
      add(into, count, at, { prediction }, weight) {
        const sure = confidence(prediction);
        if (Number.isNaN(sure)) return false;
        const place = at + 2 * scoreBin(sure, bins);
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          const rows = (own[place] as number) + Math.sign(weight);
          own[place] = rows;
          own[place + 1] = rows === 0 ? 0 : (own[place + 1] as number) + weight;
        }
        return true;
      },
    },
    (from, at) => Array.from({ length: bins }, (_, bin) => from[at + 2 * bin + 1] as number),
    [...wholeProblems('the number of bins', bins, 1, 65_536), ...classProblems(classes)],
  ) as Aggregate<ConfidentBy<O>, readonly number[] | null>;
}

function greatestOf(classes: readonly ClassLabel[]): (prediction: unknown) => number {
  const scoreOf = scoreReader(classes);
  return (prediction) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes.length; c++) most = Math.max(most, probabilityOf(scoreOf(prediction, c)));
    return most;
  };
}
