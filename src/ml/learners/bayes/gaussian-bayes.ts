import { MillraceError } from '../../../core/errors.js';
import type { ClassLabel, ClassScores, FeatureShape, Learner } from '../../../core/learner.js';
import { type BayesCells, type ClassModel, naiveBayes } from './naive-bayes.js';

/** Added to each density, so that one feature cannot rule a class out. */
const DENSITY_MIN = 1e-9;

/** The classes of a Gaussian naive Bayes classifier. */
export interface GaussianBayesOptions<C extends ClassLabel> {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

/**
 * Naive Bayes over dense features: in each class, each number has a normal distribution of its own, and each category (`oneHot`,
 * `bucket`) its frequencies with one imagined row a value.
 *
 * Guarantees: the order of rows does not matter, but for rounding; a row of weight 2 is two rows. A class without rows scores 0.
 * Memory: 16 bytes a class and feature. Errors: `config` for a view with hashed features, and for less than two classes.
 * Source: Chan, Golub and LeVeque (1979) for the moments; densities and the constant 1e-9 as in River's `GaussianNB`.
 *
 * @example learn(gaussianBayes({ classes: ['walk', 'run', 'rest'] }), { as: 'activity', ... });
 */
export function gaussianBayes<const C extends ClassLabel>({
  classes,
}: GaussianBayesOptions<C>): Learner<C, ClassScores, BayesCells> {
  return naiveBayes('gaussian-bayes', { classes, settings: {} }, gaussians);
}

/** Of each feature its mean and its variance. */
function gaussians({ denseSize, hashedSize, categories = [] }: FeatureShape): ClassModel {
  if (hashedSize > 0)
    throw new MillraceError('config', 'gaussianBayes: the view has hashed features', {
      hint: 'leave them out, or use multinomialBayes',
    });
  // Number of values of the category that a place belongs to, 0 for a number.
  const sizes = new Uint32Array(denseSize);
  for (const { at, size } of categories) sizes.fill(size, at, at + size);
  return {
    width: 2 * denseSize,
    logLikelihood(state, at, rows, { dense }) {
      let sum = 0;
      for (let i = 0; i < denseSize; i++) {
        const x = dense[i] as number;
        const mean = state[at + 2 * i] as number;
        const size = sizes[i] as number;
        if (size > 0) {
          if (x > 0) sum += Math.log((mean * rows + 1) / (rows + size));
          continue;
        }
        const variance = state[at + 2 * i + 1] as number;
        const density =
          variance > 0 ? Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance) : 0;
        sum += Math.log(DENSITY_MIN + density);
      }
      return sum;
    },
    learn(cell, at, rows, { dense }, weight) {
      const { values: state } = cell;
      const share = weight / rows;
      for (let i = 0; i < denseSize; i++) {
        const x = dense[i] as number;
        const mean = state[at + 2 * i] as number;
        const variance = state[at + 2 * i + 1] as number;
        const moved = mean + (x - mean) * share;
        state[at + 2 * i] = moved;
        state[at + 2 * i + 1] = variance + ((x - mean) * (x - moved) - variance) * share;
        cell.touch(at + 2 * i);
        cell.touch(at + 2 * i + 1);
      }
    },
  };
}
