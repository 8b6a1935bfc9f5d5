import { requireNotNegative } from '../check-options.js';
import { GRADIENT, type Move, type Optimizer, type UpdateRule, WEIGHT } from './optimizer.js';
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
      update(state: Float64Array, at: number, move: Move, step: number) {
        const weight = move[WEIGHT] as number;
        const last = rho * (state[at + 1] as number) + rateAt(step) * ((move[GRADIENT] as number) + pull * weight);
        state[at + 1] = last;
        const moved = weight - last;
        state[at] = moved;
        move[WEIGHT] = moved;
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
