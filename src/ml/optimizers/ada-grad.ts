import { requireNotNegative, requirePositive } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';
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
  const rule = (pull: number): UpdateRule =>
    Object.freeze({
      weight: (state: Float64Array, at: number) => state[at] as number,
      update({ state, from, stride, weights, coordinates, gradients, count, step }: Moves) {
        const rateNow = rateAt(step);
        for (let i = 0; i < count; i++) {
          const coordinate = coordinates[i] as number;
          const at = from + coordinate * stride;
          const weight = weights[coordinate] as number;
          const g = (gradients[i] as number) + pull * weight;
          const squares = (state[at + 1] as number) + g * g;
          state[at + 1] = squares;
          const moved = weight - (rateNow / Math.sqrt(squares + epsilon)) * g;
          state[at] = moved;
          weights[coordinate] = moved;
        }
      },
    });
  return Object.freeze({
    name: 'ada-grad',
    settings: Object.freeze({ ...rateSettings(rate), epsilon, l2 }),
    width: 2,
    weights: rule(l2),
    intercept: rule(0),
  });
}
