import type { Aggregate } from '../../../aggregates/aggregate.js';
import type { Labelled } from '../labelled.js';
import { asShare, meanMetric } from '../metric.js';
import { type DecidedBy, type DecisionOptions, deciderOf } from './decision.js';

/**
 * Accuracy: the share of right decisions, by weight.
 *
 * @example
 * const scores = { late: accuracy(), weather: accuracy({ classes: ['sun', 'rain', 'snow'] }) };
 *
 * A prediction decides for true if it is above `threshold`; among `classes` it is one of them, or their scores. One that is not declared
 * is wrong; a row with such a label is ignored. Retracts. Memory: six numbers.
 */
export function accuracy<O extends DecisionOptions = { threshold?: number }>(
  options?: O,
): Aggregate<DecidedBy<O>, number | null> {
  const { text, problems, labelOf, decisionOf } = deciderOf(options ?? {});
  return meanMetric<Labelled>(
    'accuracy',
    `accuracy${text}`,
    ({ prediction, label }) => {
      const of = labelOf(label);
      const decided = decisionOf(prediction);
      return of < 0 || decided < 0 ? Number.NaN : Number(of === decided);
    },
    asShare,
    problems,
  ) as Aggregate<DecidedBy<O>, number | null>;
}
