import { requireNotNegative, requirePositive } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';
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
  requireNotNegative('rmsProp', { decay, l2 });
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
          const squares = decay * (state[at + 1] as number) + (1 - decay) * g * g;
          state[at + 1] = squares;
          const moved = weight - (rateNow / Math.sqrt(squares + epsilon)) * g;
          state[at] = moved;
          weights[coordinate] = moved;
        }
      },
    });
  return Object.freeze({
    name: 'rms-prop',
    settings: Object.freeze({ ...rateSettings(rate), decay, epsilon, l2 }),
    width: 2,
    weights: rule(l2),
    intercept: rule(0),
  });
}
