import type { Aggregate } from '../../../aggregates/aggregate.js';
import { isUsable } from '../labelled.js';
import { type AveragedOptions, averaged, averagedSql, averageOf } from './class-average.js';
import { type ClassWeights, tableMetric } from './confusion-table.js';
import type { DecidedBy } from './decision.js';

/** F-beta of a class as a fraction. */
export const fScore =
  (beta: number) =>
  ({ right, labels, decisions }: ClassWeights): readonly [top: number, bottom: number] => [
    (1 + beta * beta) * right,
    beta * beta * labels + decisions,
  ];

/**
 * F-beta: the harmonic mean of precision and recall, where recall counts `beta` times as much; F1 by default.
 *
 * @example
 * const scores = { f1: fBeta(), f2: fBeta({ beta: 2, threshold: 0.2 }), weather: fBeta({ classes: ['sun', 'rain'] }) };
 *
 * It is of true where labels are true or false; of declared classes it is the mean (`average`), or of one class (`of`). Null if no label and
 * no decision is of the class. Decisions as of `accuracy`. Retracts. Memory: two numbers for each pair of classes.
 * Source: van Rijsbergen, "Information Retrieval", 1979.
 */
export const fBeta = <O extends AveragedOptions & { readonly beta?: number } = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> => {
  const given = (options ?? {}) as O;
  const { beta = 1 } = given;
  const isGood = isUsable(beta) && beta > 0;
  return tableMetric(`f-${beta}`, given, averaged(given, fScore(beta)), {
    sql: averagedSql(given, [`${1 + beta * beta} * r`, `(${beta * beta} * l + d)`]),
    problems: [
      ...averageOf(given).problems,
      ...(isGood ? [] : [{ message: `beta is ${beta}`, hint: 'give a number above 0' }]),
    ],
  });
};
