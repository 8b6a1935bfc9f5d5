import type { Aggregate } from '../../../aggregates/aggregate.js';
import { type AveragedOptions, averaged, averagedSql, averageOf } from './class-average.js';
import { tableMetric } from './confusion-table.js';
import type { DecidedBy } from './decision.js';

/**
 * Precision: the share of the decisions for a class that are right.
 *
 * @example
 * const scores = { fraud: precision({ threshold: 0.9 }), weather: precision({ classes: ['sun', 'rain'], of: 'rain' }) };
 *
 * It is of true where labels are true or false; of declared classes it is the mean (`average`), or of one class (`of`). Null without any
 * decision for the class. Decisions as of `accuracy`. Retracts. Memory: two numbers for each pair of classes.
 */
export const precision = <O extends AveragedOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> => {
  const given = (options ?? {}) as O;
  return tableMetric(
    'precision',
    given,
    averaged(given, ({ right, decisions }) => [right, decisions]),
    { ...averageOf(given), sql: averagedSql(given, ['r', 'd']) },
  );
};
