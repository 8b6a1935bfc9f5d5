import type { ClassLabel, ClassScores, Learner } from '../../../core/learner.js';
import { indicesOf, requireClasses } from '../classes.js';
import { type LabelCells, labelLearner } from './label-learner.js';

/**
 * Predicts the share of each class among all labels so far, whatever the features are, so the class with the greatest score is
 * that of the majority; equal shares before the first label. A classifier that does not beat it is useless.
 *
 * Guarantees: a row of weight 2 is two rows; a label that is no declared class is refused. Memory: a number a class.
 *
 * @example learn(classShares({ classes: ['walk', 'run', 'rest'] }), { as: 'activity', ... });
 * @throws MillraceError `config` for less than two classes
 */
export function classShares<const C extends ClassLabel>({
  classes,
}: {
  readonly classes: readonly C[];
}): Learner<C, ClassScores, LabelCells> {
  requireClasses('classShares', classes);
  const indices = indicesOf(classes);
  return labelLearner<C, ClassScores>('class-shares', {
    output: 'scores',
    classes,
    size: classes.length,
    predict(weights, scores) {
      let sum = 0;
      for (let c = 0; c < weights.length; c++) sum += weights[c] as number;
      for (let c = 0; c < weights.length; c++)
        scores[c] = sum === 0 ? 1 / weights.length : (weights[c] as number) / sum;
      return scores;
    },
    learn(labels, label, weight) {
      const index = indices.get(label);
      if (index === undefined) return 'unknown-class';
      labels.values[index] = (labels.values[index] as number) + weight;
      labels.touch(index);
      return undefined;
    },
  });
}
