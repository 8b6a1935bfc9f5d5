import { MillraceError } from '../../../core/errors.js';
import type { ClassLabel, ClassScores, FeatureShape, Learner } from '../../../core/learner.js';
import { requirePositive } from '../../check-options.js';
import { type BayesCells, type ClassModel, naiveBayes } from './naive-bayes.js';

/** The classes of a naive Bayes classifier over features that are there or not, and how it smooths. */
export interface BernoulliBayesOptions<C extends ClassLabel> {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
  /** A feature is there where its number is above this; 0 by default. */
  readonly threshold?: number;
  /** Imagined rows of each class with each feature, and as many without; 1 by default. */
  readonly smoothing?: number;
}

/**
 * Naive Bayes over dense features that are there or not: what is missing counts as much as what is there.
 *
 * Guarantees: the order of rows does not matter, but for rounding; a row of weight 2 is two rows. A class without rows scores 0.
 * Memory: 8 bytes a class and feature. Errors: `config` for a view with hashed features (each row would cost all of their
 * coordinates), and for less than two classes or a smoothing that is not above 0.
 * Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), 13.3.
 *
 * @example learn(bernoulliBayes({ classes: [false, true], threshold: 0.5 }), { as: 'faulty', ... });
 */
export function bernoulliBayes<const C extends ClassLabel>({
  classes,
  threshold = 0,
  smoothing = 1,
}: BernoulliBayesOptions<C>): Learner<C, ClassScores, BayesCells> {
  requirePositive('bernoulliBayes', { smoothing });
  const structure = { threshold };
  return naiveBayes('bernoulli-bayes', { classes, settings: { threshold, smoothing }, structure }, (shape) =>
    presences(shape, threshold, smoothing),
  );
}

/** Of each feature the weight of the rows that have it. */
function presences({ denseSize, hashedSize }: FeatureShape, threshold: number, smoothing: number): ClassModel {
  if (hashedSize > 0)
    throw new MillraceError('config', 'bernoulliBayes: the view has hashed features', {
      hint: 'leave them out, or use multinomialBayes',
    });
  return {
    width: denseSize,
    logLikelihood(state, at, rows, { dense }) {
      const logAll = Math.log(rows + 2 * smoothing);
      let sum = 0;
      for (let i = 0; i < denseSize; i++) {
        const present = state[at + i] as number;
        const alike = (dense[i] as number) > threshold ? present : rows - present;
        sum += Math.log(alike + smoothing) - logAll;
      }
      return sum;
    },
    learn(cell, at, _rows, { dense }, weight) {
      for (let i = 0; i < denseSize; i++) {
        if (!((dense[i] as number) > threshold)) continue;
        cell.values[at + i] = (cell.values[at + i] as number) + weight;
        cell.touch(at + i);
      }
    },
  };
}
