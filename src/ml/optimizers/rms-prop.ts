import { requireNotNegative, requirePositive, requireShare } from '../check-options.js';
import type { Optimizer } from './optimizer.js';
import { scaledBySquares } from './scaled-by-squares.js';
import { type Rate, rateOf, rateSettings } from './schedule.js';

/** The hyper-parameters of RMSProp. */
export interface RmsPropOptions {
  /** Learning rate; 0.1 by default. */
  readonly rate?: Rate;
  /** Share of the mean squared gradient that an update keeps; 0.9 by default. */
  readonly decay?: number;
  /** Keeps the first steps finite; 1e-8 by default. */
  readonly epsilon?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * RMSProp: a rate for each coordinate by the size of its recent gradients, which suits data that drifts. Keeps two numbers a
 * coordinate, the weight and the decayed mean of squared gradients.
 *
 * Source: Hinton, Srivastava and Swersky, "Neural Networks for Machine Learning", lecture 6a (2012).
 *
 * @example logisticRegression({ optimizer: rmsProp({ rate: 0.01 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function rmsProp({ rate = 0.1, decay = 0.9, epsilon = 1e-8, l2 = 0 }: RmsPropOptions = {}): Optimizer {
  const rateAt = rateOf('rmsProp', rate);
  requirePositive('rmsProp', { epsilon });
  requireNotNegative('rmsProp', { l2 });
  requireShare('rmsProp', { decay });
  const squares = { kept: decay, taken: 1 - decay, epsilon };
  return Object.freeze({
    name: 'rms-prop',
    settings: Object.freeze({ ...rateSettings(rate), decay, epsilon, l2 }),
    width: 2,
    weights: scaledBySquares(rateAt, squares, l2),
    intercept: scaledBySquares(rateAt, squares, 0),
  });
}
