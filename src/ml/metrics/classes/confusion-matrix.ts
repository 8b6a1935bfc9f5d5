import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type ConfusionTable, tableMetric } from './confusion-table.js';
import type { DecidedBy, DecisionOptions } from './decision.js';

/**
 * The confusion matrix: the weight of rows by label (outer) and decision (inner), in the order of the classes; of true and false,
 * false comes first.
 *
 * @example
 * const scores = { weather: confusionMatrix({ classes: ['sun', 'rain', 'snow'] }) };
 * // weather: [[9, 1, 0, 0], [2, 5, 0, 0], [0, 0, 1, 0]]
 *
 * Of declared classes there is one more decision, the last: a class that is not declared. Decisions as of `accuracy`. Retracts.
 * Memory: two numbers for each pair of classes.
 */
export const confusionMatrix = <O extends DecisionOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, ConfusionTable | null> =>
  tableMetric('confusion matrix', (options ?? {}) as O, (table) => table);
