import { requireNotNegative } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';
import { type Rate, rateOf, rateSettings } from './schedule.js';

/** The hyper-parameters of stochastic gradient descent. */
export interface SgdOptions {
  /** Learning rate. */
  readonly rate: Rate;
  /** Pull towards exactly 0, at each update of a coordinate. */
  readonly l1?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * Plain stochastic gradient descent: one number a coordinate, its weight. At a constant rate it never stops moving, which
 * suits data that drifts. Needs features of similar scale.
 *
 * `l1` cuts a weight by `rate * l1` after the step, to 0 at most. Source of that: Duchi and Singer, "Efficient Online and
 * Batch Learning Using Forward Backward Splitting", JMLR 10 (2009).
 *
 * @example pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.05 }) }));
 * @throws MillraceError `config` where an option is out of range
 */
export function sgd({ rate, l1 = 0, l2 = 0 }: SgdOptions): Optimizer {
  const rateAt = rateOf('sgd', rate);
  requireNotNegative('sgd', { l1, l2 });
  return Object.freeze({
    name: 'sgd',
    settings: Object.freeze({ ...rateSettings(rate), l1, l2 }),
    width: 1,
    weights: descent(rateAt, l1, l2),
    intercept: descent(rateAt, 0, 0),
  });
}

function descent(rateAt: (step: number) => number, l1: number, l2: number): UpdateRule {
  return Object.freeze({
    weight: (state: Float64Array, at: number) => state[at] as number,
    update({ state, from, stride, weights, coordinates, inputs, slope, count, step }: Moves) {
      const rate = rateAt(step);
      for (let i = 0; i < count; i++) {
        const coordinate = coordinates[i] as number;
        const at = from + coordinate * stride;
        const weight = weights[coordinate] as number;
        let moved = weight - rate * (slope * (inputs[i] as number) + l2 * weight);
        if (l1 > 0) moved = Math.sign(moved) * Math.max(0, Math.abs(moved) - rate * l1);
        state[at] = moved;
        weights[coordinate] = moved;
      }
    },
  });
}
