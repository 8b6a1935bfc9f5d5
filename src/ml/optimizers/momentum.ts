import { requireNotNegative } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';
import { type Rate, rateOf, rateSettings } from './schedule.js';

/** The hyper-parameters of gradient descent with momentum. */
export interface MomentumOptions {
  /** Learning rate. */
  readonly rate: Rate;
  /** Share of its last move that a coordinate repeats; 0.9 by default. */
  readonly momentum?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * Gradient descent with momentum: a coordinate goes on in the direction in which it moved. Keeps two numbers a coordinate,
 * the weight and its last move.
 *
 * Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
 *
 * @example logisticRegression({ optimizer: momentum({ rate: 0.01 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function momentum({ rate, momentum: rho = 0.9, l2 = 0 }: MomentumOptions): Optimizer {
  const rateAt = rateOf('momentum', rate);
  requireNotNegative('momentum', { momentum: rho, l2 });
  const rule = (pull: number): UpdateRule =>
    Object.freeze({
      weight: (state: Float64Array, at: number) => state[at] as number,
      update({ state, from, stride, weights, coordinates, inputs, slope, count, step }: Moves) {
        const rateNow = rateAt(step);
        for (let i = 0; i < count; i++) {
          const coordinate = coordinates[i] as number;
          const at = from + coordinate * stride;
          const weight = weights[coordinate] as number;
          const last = rho * (state[at + 1] as number) + rateNow * (slope * (inputs[i] as number) + pull * weight);
          state[at + 1] = last;
          const moved = weight - last;
          state[at] = moved;
          weights[coordinate] = moved;
        }
      },
    });
  return Object.freeze({
    name: 'momentum',
    settings: Object.freeze({ ...rateSettings(rate), momentum: rho, l2 }),
    width: 2,
    weights: rule(l2),
    intercept: rule(0),
  });
}
