import { MillraceError } from '../../../core/errors.js';
import type { FeatureShape, Learner } from '../../../core/learner.js';
import { float64Cell } from '../../../state/index.js';
import { isMeasurable } from '../../number-limits.js';
import { type LinearOptions, linearSettings } from '../linear/linear-model.js';
import { reachOf } from '../linear/linear-regression.js';
import { type FactorOptions, openPairs, pairCells, pairSettings, pairStructure } from './pairs.js';

/** How a matrix factorization learns: `optimizer` moves the biases. */
export interface MatrixFactorizationOptions extends FactorOptions, Omit<LinearOptions, 'interceptRate'> {}

function ratingCells(options: MatrixFactorizationOptions, shape: FeatureShape) {
  if (shape.denseSize > 0)
    throw new MillraceError('config', 'matrixFactorization: the view has dense features', {
      hint: 'give it two hashed features, such as who rates and what; factorizationMachineRegression takes dense ones, too',
    });
  return { ...pairCells(options, shape), mean: float64Cell({ size: 2, block: 2 }) };
}

/** The mean begins with the first label, within this. */
const FIRST_MAX = 1e12;

type Cells = ReturnType<typeof ratingCells>;

/**
 * Biased matrix factorization: a number that somebody gives something, such as the stars of a film. It is the mean of all numbers, a
 * bias for who and for what, and the product of their factors. The view has two hashed features; with more of them, each pair has a
 * product.
 *
 * Guarantees: as those of `linearRegression`, and for factors those of `factorizationMachine`. Who or what was never seen has no bias and
 * factors near 0. A label farther than `slopeMax` from its prediction moves the mean as if it lay so far, since biases, whose slopes are
 * bounded too, must make up for it. By default only absurd labels lie so far, and after one of 1e50 predictions are useless for ten
 * thousands of rows. With a `slopeMax` of four times the range of the labels they are hardly worse, unless it was the first label.
 * Memory: for each hashed coordinate the numbers of `optimizer`, one more, and `factors` times those of `factorOptimizer`.
 * Source: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer 42 (2009); the mean is a running
 * one, as in River.
 *
 * @example learn(matrixFactorization({ optimizer: sgd({ rate: 0.05, l2: 0.01 }), factors: 16 }), { as: 'stars', ... });
 * @throws MillraceError `config` where an option is out of range, and for a view with dense features
 */
export function matrixFactorization(options: MatrixFactorizationOptions): Learner<number, number, Cells> {
  const where = 'matrixFactorization';
  return Object.freeze<Learner<number, number, Cells>>({
    kind: 'matrix-factorization',
    settings: Object.freeze({ ...linearSettings(where, options), ...pairSettings(where, options) }),
    output: 'number',
    structure: Object.freeze({ optimizer: options.optimizer.name, ...pairStructure(options) }),
    cells: (shape) => ratingCells(options, shape),
    open(cells, shape) {
      // The mean stands for the intercept.
      const model = openPairs(cells, shape, { ...options, interceptRate: 0 });
      /** The weight of all labels, and their mean. */
      const { values: mean } = cells.mean;
      const { slopeMax = 1e12 } = options;
      return {
        refresh: model.refresh,
        predictOne: (features) => (mean[1] as number) + model.score(features),
        learnOne(features, label, weight = 1) {
          const refusal = model.refusalOf(features, weight);
          if (refusal) return refusal;
          if (!isMeasurable(label)) return 'unusable-label';
          const score = model.scoreOf(features);
          if (!Number.isFinite(score)) return 'not-finite';
          const off = label - (mean[1] as number) - score;
          const offMax = mean[0] === 0 ? FIRST_MAX : slopeMax;
          const apart = Math.abs(off) <= offMax ? label - (mean[1] as number) : score + Math.sign(off) * offMax;
          mean[0] = (mean[0] as number) + weight;
          mean[1] = (mean[1] as number) + (weight / mean[0]) * apart;
          cells.mean.touch(0);
          const error = mean[1] + score - label;
          model.slope[0] = 2 * weight * error;
          model.slope[1] = reachOf(error);
          model.descend(features);
          return 'learnt';
        },
      };
    },
  });
}
