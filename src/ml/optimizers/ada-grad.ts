import { requireNotNegative, requirePositive } from '../check-options.js';
import type { Optimizer } from './optimizer.js';
import { scaledBySquares } from './scaled-by-squares.js';
import { type Rate, rateOf, rateSettings } from './schedule.js';

/** The hyper-parameters of AdaGrad. */
export interface AdaGradOptions {
  /** Learning rate; 0.1 by default. */
  readonly rate?: Rate;
  /** Keeps the first steps finite; 1e-8 by default. */
  readonly epsilon?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * AdaGrad: a rate for each coordinate that falls with the gradients it has seen, so rare features learn fast. Keeps two
 * numbers a coordinate, the weight and the sum of squared gradients.
 *
 * Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12 (2011).
 *
 * @example logisticRegression({ optimizer: adaGrad({ rate: 0.1 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function adaGrad({ rate = 0.1, epsilon = 1e-8, l2 = 0 }: AdaGradOptions = {}): Optimizer {
  const rateAt = rateOf('adaGrad', rate);
  requirePositive('adaGrad', { epsilon });
  requireNotNegative('adaGrad', { l2 });
  const squares = { kept: 1, taken: 1, epsilon };
  return Object.freeze({
    name: 'ada-grad',
    settings: Object.freeze({ ...rateSettings(rate), epsilon, l2 }),
    width: 2,
    weights: scaledBySquares(rateAt, squares, l2),
    intercept: scaledBySquares(rateAt, squares, 0),
  });
}
