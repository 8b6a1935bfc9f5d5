import { requireNotNegative, requirePositive, requireShare } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';
import { type Rate, rateOf, rateSettings } from './schedule.js';

/** The hyper-parameters of Adam. */
export interface AdamOptions {
  /** Learning rate; 0.1 by default. */
  readonly rate?: Rate;
  /** Share of the mean gradient that an update keeps; 0.9 by default. */
  readonly beta1?: number;
  /** Share of the mean squared gradient that an update keeps; 0.999 by default. */
  readonly beta2?: number;
  /** Keeps steps finite; 1e-8 by default. */
  readonly epsilon?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * Adam: momentum, and a rate for each coordinate by the size of its recent gradients, both corrected for their start at 0 by the
 * number of the model's update. Keeps three numbers a coordinate. A coordinate that a row does not have stays as it is.
 *
 * Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
 *
 * @example logisticRegression({ optimizer: adam({ rate: 0.01 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { rate = 0.1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, l2 = 0 } = options;
  const rateAt = rateOf('adam', rate);
  requirePositive('adam', { epsilon });
  requireNotNegative('adam', { l2 });
  requireShare('adam', { beta1, beta2 });
  const rule = (pull: number): UpdateRule =>
    Object.freeze({
      weight: (state: Float64Array, at: number) => state[at] as number,
      update({ state, from, stride, weights, coordinates, inputs, slope, count, step }: Moves) {
        const corrected = (rateAt(step) * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
        for (let i = 0; i < count; i++) {
          const coordinate = coordinates[i] as number;
          const at = from + coordinate * stride;
          const weight = weights[coordinate] as number;
          const g = slope * (inputs[i] as number) + pull * weight;
          const m = beta1 * (state[at + 1] as number) + (1 - beta1) * g;
          const v = beta2 * (state[at + 2] as number) + (1 - beta2) * g * g;
          state[at + 1] = m;
          state[at + 2] = v;
          const moved = weight - (corrected * m) / (Math.sqrt(v) + epsilon);
          state[at] = moved;
          weights[coordinate] = moved;
        }
      },
    });
  return Object.freeze({
    name: 'adam',
    settings: Object.freeze({ ...rateSettings(rate), beta1, beta2, epsilon, l2 }),
    width: 3,
    weights: rule(l2),
    intercept: rule(0),
  });
}
