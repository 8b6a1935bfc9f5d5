import type { Aggregate } from '../../../aggregates/aggregate.js';
import { meanSql } from '../sql.js';
import { type ConfusionTable, classWeights, tableMetric } from './confusion-table.js';
import type { DecidedBy, DecisionOptions } from './decision.js';

/**
 * Balanced accuracy: the mean over classes of the share of their labels that were found. Deciding for one class always gives
 * 1 of the number of classes, however rare the others are.
 *
 * @example
 * const scores = { fraud: balancedAccuracy({ threshold: 0.2 }) };
 *
 * Classes without labels do not count. Decisions as of `accuracy`. Retracts. Memory: two numbers for each pair of classes.
 */
export const balancedAccuracy = <O extends DecisionOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> =>
  tableMetric(
    'balanced accuracy',
    (options ?? {}) as O,
    (table: ConfusionTable) => {
      const labelled = classWeights(table).filter(({ labels }) => labels > 0);
      return labelled.reduce((sum, { right, labels }) => sum + right / labels, 0) / labelled.length;
    },
    { sql: ({ right, labels }) => meanSql(`arrayMap((r, l) -> r / l, ${right}, ${labels})`) },
  );
