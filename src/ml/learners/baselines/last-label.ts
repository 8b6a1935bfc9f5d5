import type { Learner } from '../../../core/learner.js';
import { isMeasurable } from '../../number-limits.js';
import { type LabelCells, labelLearner } from './label-learner.js';

/**
 * Predicts the last label, whatever the features are; 0 before the first. The baseline of a series that moves slowly.
 *
 * Guarantee: a label that is not a number, or beyond 1e50, is refused. Memory: one number.
 *
 * @example learn(lastLabel(), { as: 'temperature', ... });
 */
export const lastLabel = (): Learner<number, number, LabelCells> =>
  labelLearner<number, number>('last-label', {
    output: 'number',
    size: 1,
    predict: ([last]) => last as number,
    learn(labels, label) {
      if (!isMeasurable(label)) return 'unusable-label';
      labels.values[0] = label;
      labels.touch(0);
      return undefined;
    },
  });
