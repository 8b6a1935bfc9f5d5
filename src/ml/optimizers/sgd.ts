import { requireNotNegative, requirePositive } from '../check-options.js';
import type { Optimizer, UpdateRule } from './optimizer.js';

/** The hyper-parameters of stochastic gradient descent. */
export interface SgdOptions {
  /** Learning rate of the weights. */
  readonly rate: number;
  /** Learning rate of the intercept; the weights' own unless said otherwise. */
  readonly interceptRate?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * Plain stochastic gradient descent at a constant rate: one number a coordinate, its weight. Never stops moving, which
 * suits data that drifts; needs features of similar scale.
 *
 * @example logisticRegression({ optimizer: sgd({ rate: 0.05 }), scale: 'standard' });
 * @throws MillraceError `config` where an option is out of range
 */
export function sgd({ rate, interceptRate = rate, l2 = 0 }: SgdOptions): Optimizer {
  requirePositive('sgd', { rate });
  requireNotNegative('sgd', { interceptRate, l2 });
  return Object.freeze({
    name: 'sgd',
    settings: Object.freeze({ rate, interceptRate, l2 }),
    width: 1,
    weights: descent(rate, l2),
    intercept: descent(interceptRate, 0),
  });
}

function descent(rate: number, l2: number): UpdateRule {
  return Object.freeze({
    weight: (state: Float64Array, at: number) => state[at] as number,
    update(state: Float64Array, at: number, gradient: number, weight: number) {
      const moved = weight - rate * (gradient + l2 * weight);
      state[at] = moved;
      return moved;
    },
  });
}
