import type { FeatureShape, Learner, LearnerLogic } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import { requirePositive } from '../../check-options.js';
import { isMeasurable } from '../../number-limits.js';
import {
  type LinearCells,
  type LinearModel,
  type LinearOptions,
  linearCells,
  linearSettings,
  linearStructure,
  openLinear,
} from './linear-model.js';

/** How a linear regression learns. */
export interface LinearRegressionOptions extends LinearOptions {
  /**
   * What an error costs: its square (the default), its size, or, for `huber`, half its square up to `huberWidth` and so many
   * times its size beyond, so that single absurd labels do not move the weights far.
   */
  readonly loss?: 'squared' | 'absolute' | 'huber';
  /** Where the loss `huber` turns from squares to sizes; 1 by default. */
  readonly huberWidth?: number;
}

/**
 * Online linear regression over dense and hashed features: the label as a number.
 *
 * Guarantees: as those of `logisticRegression`. A label that is not a number, or beyond 1e50, is refused.
 * Memory: `optimizer.width` numbers of 8 bytes (rounded up to a power of two) for the intercept, each dense and each
 * hashed coordinate, and as many cached weights.
 * Source: the losses as in Bottou, "Stochastic Gradient Descent Tricks" (2012), and Huber, "Robust Estimation of a Location
 * Parameter" (1964). The slope of the squared loss is twice the error, as in River and Vowpal Wabbit; scikit-learn takes half.
 *
 * @example
 * learn(pipe(standardScaler(), linearRegression({ optimizer: sgd({ rate: 0.01 }) })), { as: 'delay', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function linearRegression(options: LinearRegressionOptions): Learner<number, number, LinearCells> {
  return Object.freeze<Learner<number, number, LinearCells>>({
    kind: 'linear-regression',
    settings: regressionSettings('linearRegression', options),
    output: 'number',
    structure: linearStructure(options),
    cells: (shape: FeatureShape) => linearCells(options.optimizer, shape),
    open: (cells, shape) => regression(openLinear(cells, shape, options), options),
  });
}

/** The options as `describe` shows them. */
export function regressionSettings(where: string, options: LinearRegressionOptions): Settings {
  const { loss = 'squared', huberWidth = 1 } = options;
  requirePositive(where, { huberWidth });
  return Object.freeze({ ...linearSettings(where, options), loss, ...(loss === 'huber' ? { huberWidth } : {}) });
}

/** How far a row may move its score: past its label by three times the error. One above 1/2 counts, as early steps can be long. */
export const reachOf = (error: number): number => 4 * Math.max(0.5, Math.abs(error));

/** Numbers by a model's score, and what an error costs. */
export function regression(
  model: LinearModel,
  { loss = 'squared', huberWidth = 1 }: Pick<LinearRegressionOptions, 'loss' | 'huberWidth'>,
): LearnerLogic<number, number> {
  const slopeOf = {
    squared: (error: number) => 2 * error,
    absolute: Math.sign,
    huber: (error: number) => Math.max(-huberWidth, Math.min(huberWidth, error)),
  }[loss];
  return {
    refresh: model.refresh,
    predictOne: model.score,
    learnOne(features, label, weight = 1) {
      const refusal = model.refusalOf(features, weight);
      if (refusal) return refusal;
      if (!isMeasurable(label)) return 'unusable-label';
      const error = model.scoreOf(features) - label;
      if (!Number.isFinite(error)) return 'not-finite';
      model.slope[0] = weight * slopeOf(error);
      model.slope[1] = reachOf(error);
      model.descend(features);
      return 'learnt';
    },
  };
}
