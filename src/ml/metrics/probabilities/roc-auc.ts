import type { Aggregate } from '../../../aggregates/aggregate.js';
import { rocAucInterval } from '../intervals.js';
import type { ScoredBy } from '../labelled.js';
import { type BinOptions, type MetricRange, meanOver, meanRange, type ScoreTable, scoreMetric } from './score-table.js';

/**
 * ROC AUC from weights by score bin, of rows that happened and rows that did not: the chance that a row that happened was scored
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

/**
 * ROC AUC: the chance that a row that happened was scored above one that did not. 0.5 is what scores by chance give.
 *
 * @example
 * const scores = { fraud: rocAuc({ bins: 1_024, scale: 'log-odds' }), weather: rocAuc({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * Scores are put into bins, and rows of one bin count as ties: `rocAucRange` says where the exact figure is. Of `classes` it is the mean
 * of each against the rest. Null if all labels are the same. Retracts. Memory: two numbers a bin and class.
 */
export const rocAuc = <O extends BinOptions = { bins?: number }>(options?: O): Aggregate<ScoredBy<O>, number | null> =>
  scoreMetric(
    'roc auc',
    (options ?? {}) as O,
    (tables) => meanOver(tables, ({ positives, negatives }) => binnedRocAuc(positives, negatives)),
    (yes, no) =>
      `arraySum((y, n, below) -> y * (below - n / 2), ${yes}, ${no}, arrayCumSum(${no})) / (arraySum(${yes}) * arraySum(${no}))`,
    ({ positives, negatives }, happened, not) => rocAucInterval(binnedRocAuc(positives, negatives), happened, not),
  );

/**
 * The range that has the exact ROC AUC: all rows of a bin are ordered in the worst and in the best way.
 *
 * @example
 * const scores = { auc: rocAuc(), between: rocAucRange() }; // { auc: 0.75, between: { low: 0.7499, high: 0.7501 } }
 *
 * `rocAuc` of the same options is its middle. Everything else is as of `rocAuc`.
 */
export const rocAucRange = <O extends BinOptions = { bins?: number }>(
  options?: O,
): Aggregate<ScoredBy<O>, MetricRange | null> =>
  scoreMetric('roc auc', (options ?? {}) as O, (tables) => meanRange(tables, rangeOf));

function rangeOf({ positives, negatives }: ScoreTable): MetricRange {
  let happened = 0;
  let not = 0;
  let within = 0;
  for (let bin = 0; bin < positives.length; bin++) {
    happened += positives[bin] as number;
    not += negatives[bin] as number;
    within += (positives[bin] as number) * (negatives[bin] as number);
  }
  const middle = binnedRocAuc(positives, negatives);
  const off = within / (happened * not) / 2;
  return { low: middle - off, high: middle + off };
}
