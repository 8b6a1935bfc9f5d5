import type { ClassLabel, ClassScores, FeatureArray, FeatureShape, Learner } from '../../../core/learner.js';
import { requirePositive } from '../../check-options.js';
import { type BayesCells, type ClassModel, naiveBayes } from './naive-bayes.js';

/** The classes of a naive Bayes classifier over counts, and how it smooths. */
export interface MultinomialBayesOptions<C extends ClassLabel> {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
  /** Imagined count of each feature in each class; 1 by default. */
  readonly smoothing?: number;
}

/**
 * Naive Bayes over counts, such as words of a text: a row is drawn from the features of its class. Dense and hashed features
 * alike; a row with a feature below 0 is refused.
 *
 * Guarantees: the order of rows does not matter, but for rounding; a row of weight 2 is two rows. A class without rows scores 0.
 * Memory: 8 bytes a class and coordinate. Errors: `config` for less than two classes or a smoothing that is not above 0.
 * Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), 13.2; all coordinates count as terms, as in
 * scikit-learn's `MultinomialNB`.
 *
 * @example learn(multinomialBayes({ classes: ['spam', 'ham'] }), { as: 'mail', ... });
 */
export function multinomialBayes<const C extends ClassLabel>({
  classes,
  smoothing = 1,
}: MultinomialBayesOptions<C>): Learner<C, ClassScores, BayesCells> {
  requirePositive('multinomialBayes', { smoothing });
  return naiveBayes('multinomial-bayes', { classes, settings: { smoothing } }, (shape) => counts(shape, smoothing));
}

/** The sum of all counts, then that of each coordinate. */
function counts({ denseSize, hashedSize }: FeatureShape, smoothing: number): ClassModel {
  const coordinates = denseSize + hashedSize;
  const isNegative = (numbers: FeatureArray, length: number): boolean => {
    for (let i = 0; i < length; i++) if ((numbers[i] as number) < 0) return true;
    return false;
  };
  return {
    width: 1 + coordinates,
    refusalOf: ({ dense, indices, values }) =>
      isNegative(dense, denseSize) || isNegative(values, indices.length) ? 'negative' : undefined,
    logLikelihood(state, at, _rows, { dense, indices, values }) {
      const logAll = Math.log((state[at] as number) + smoothing * coordinates);
      let sum = 0;
      for (let i = 0; i < denseSize; i++)
        sum += (dense[i] as number) * (Math.log((state[at + 1 + i] as number) + smoothing) - logAll);
      for (let i = 0; i < indices.length; i++) {
        const count = state[at + 1 + denseSize + (indices[i] as number)] as number;
        sum += (values[i] as number) * (Math.log(count + smoothing) - logAll);
      }
      return sum;
    },
    learn(cell, at, _rows, { dense, indices, values }, weight) {
      const { values: state } = cell;
      let all = state[at] as number;
      for (let i = 0; i < denseSize + indices.length; i++) {
        const isDense = i < denseSize;
        const to = at + 1 + (isDense ? i : denseSize + (indices[i - denseSize] as number));
        const count = weight * ((isDense ? dense[i] : values[i - denseSize]) as number);
        state[to] = (state[to] as number) + count;
        cell.touch(to);
        all += count;
      }
      state[at] = all;
      cell.touch(at);
    },
  };
}
