import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type AveragedOptions, averaged, averagedSql, averageOf } from './class-average.js';
import { tableMetric } from './confusion-table.js';
import type { DecidedBy } from './decision.js';

/**
 * Recall: the share of the labels of a class that were found.
 *
 * @example
 * const scores = { fraud: recall({ threshold: 0.9 }), weather: recall({ classes: ['sun', 'rain'], average: 'macro' }) };
 *
 * It is of true where labels are true or false; of declared classes it is the mean (`average`), or of one class (`of`). Null without any
 * label of the class. Decisions as of `accuracy`. Retracts. Memory: two numbers for each pair of classes.
 */
export const recall = <O extends AveragedOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> => {
  const given = (options ?? {}) as O;
  return tableMetric(
    'recall',
    given,
    averaged(given, ({ right, labels }) => [right, labels]),
    { ...averageOf(given), sql: averagedSql(given, ['r', 'l']) },
  );
};
