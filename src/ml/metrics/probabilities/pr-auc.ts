import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { ScoredBy } from '../labelled.js';
import { type BinOptions, type MetricRange, meanOver, meanRange, type ScoreTable, scoreMetric } from './score-table.js';

/**
 * PR AUC, as average precision: the mean, over rows that happened, of the precision among the rows scored as high or higher. The rate of
 * true labels is what scores by chance give, so rare events do not look easy.
 *
 * @example
 * const scores = { fraud: prAuc({ bins: 1_024, scale: 'log-odds' }), weather: prAuc({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * Scores are put into bins, and rows of one bin count as ties: `prAucRange` says where the exact figure is. Of `classes` it is the mean of
 * each against the rest. Null without a true label. Retracts. Memory: two numbers a bin and class.
 */
export const prAuc = <O extends BinOptions = { bins?: number }>(options?: O): Aggregate<ScoredBy<O>, number | null> =>
  scoreMetric(
    'pr auc',
    (options ?? {}) as O,
    (tables) =>
      meanOver(tables, (table) => averaged(table, (yes, no, more, less) => (yes + more) / (yes + no + more + less))),
    (yes, no) =>
      `arraySum((y, up, down) -> if(y > 0, y * up / (up + down), 0), ${downwards(yes)}, arrayCumSum(${downwards(yes)}), arrayCumSum(${downwards(no)})) / arraySum(${yes})`,
  );

const downwards = (bins: string): string => `arrayReverse(${bins})`;

/**
 * A range that has the exact PR AUC, whatever the order of the rows within their bins.
 *
 * @example
 * const scores = { pr: prAuc(), between: prAucRange() }; // { pr: 0.52, between: { low: 0.5197, high: 0.5204 } }
 *
 * Everything else is as of `prAuc`.
 */
export const prAucRange = <O extends BinOptions = { bins?: number }>(
  options?: O,
): Aggregate<ScoredBy<O>, MetricRange | null> =>
  scoreMetric('pr auc', (options ?? {}) as O, (tables) => meanRange(tables, rangeOf));

/** Of a bin: the weights of true and false labels in the bins above, then in it. */
type PrecisionOf = (yes: number, no: number, more: number, less: number) => number;

/** The mean over true labels of a precision of their bins; NaN without any. */
function averaged({ positives, negatives }: ScoreTable, precisionOf: PrecisionOf): number {
  let yes = 0;
  let no = 0;
  let sum = 0;
  for (let bin = positives.length - 1; bin >= 0; bin--) {
    const more = positives[bin] as number;
    const less = negatives[bin] as number;
    if (more > 0) sum += more * precisionOf(yes, no, more, less);
    yes += more;
    no += less;
  }
  return yes > 0 ? sum / yes : Number.NaN;
}

/**
 * At worst all false labels of a bin are scored above its true ones. Precision then rises from one true label to the next, so the integral
 * over their weight is below the sum. At best they are scored below, and the last true label has the greatest precision.
 */
const rangeOf = (table: ScoreTable): MetricRange => ({
  low: averaged(table, (yes, no, more, less) => {
    const wrong = no + less;
    return wrong === 0 ? 1 : 1 - (wrong / more) * Math.log1p(more / (yes + wrong));
  }),
  high: averaged(table, (yes, no, more) => (yes + more) / (yes + more + no)),
});
