import type { Learner } from '../../../core/learner.js';
import { isMeasurable } from '../../number-limits.js';
import { type LabelCells, labelLearner } from './label-learner.js';

/**
 * Predicts the mean of all labels so far, whatever the features are; 0 before the first. A regression that does not beat it is
 * useless.
 *
 * Guarantees: a row of weight 2 is two rows; a label that is not a number, or beyond 1e50, is refused. Memory: two numbers.
 * Source: West, "Updating Mean and Variance Estimates: An Improved Method", CACM 22 (1979).
 *
 * @example learn(meanLabel(), { as: 'delay', ... });
 */
export const meanLabel = (): Learner<number, number, LabelCells> =>
  labelLearner<number, number>('mean-label', {
    output: 'number',
    size: 2,
    predict: ([mean]) => mean as number,
    learn(labels, label, weight) {
      if (!isMeasurable(label)) return 'unusable-label';
      const [mean, before] = labels.values as Float64Array & [number, number];
      const rows = before + weight;
      labels.values[0] = mean + (label - mean) * (weight / rows);
      labels.values[1] = rows;
      labels.touch(0);
      return undefined;
    },
  });
