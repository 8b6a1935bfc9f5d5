import { requireNotNegative, requirePositive } from '../check-options.js';
import type { Moves, Optimizer, UpdateRule } from './optimizer.js';

/** The hyper-parameters of FTRL-Proximal. */
export interface FtrlOptions {
  /** Learning rate: how far a coordinate moves while it is young. */
  readonly alpha: number;
  /** Smooths the rate of young coordinates; 1 unless said otherwise. */
  readonly beta?: number;
  /** Pull towards exactly 0: coordinates with less evidence than this have no weight. */
  readonly l1?: number;
  /** Pull towards small weights. */
  readonly l2?: number;
}

/**
 * FTRL-Proximal: a learning rate for each coordinate that falls with the gradients it has seen, and exact zeros
 * through `l1`. Keeps two numbers a coordinate, z and n, and recomputes the weight from them at once, so the weight is
 * a pure function of the state. (Some libraries use the weight of the update before; their figures differ a little.)
 *
 * Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
 *
 * @example logisticRegression({ optimizer: ftrl({ alpha: 0.1, l2: 1 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function ftrl({ alpha, beta = 1, l1 = 0, l2 = 0 }: FtrlOptions): Optimizer {
  requirePositive('ftrl', { alpha });
  requireNotNegative('ftrl', { beta, l1, l2 });
  return Object.freeze({
    name: 'ftrl',
    settings: Object.freeze({ alpha, beta, l1, l2 }),
    width: 2,
    weights: proximal(alpha, beta, l1, l2),
    intercept: proximal(alpha, beta, 0, 0),
  });
}

function proximal(alpha: number, beta: number, l1: number, l2: number): UpdateRule {
  // Written with the inverse of alpha, so that an update needs one division.
  const inverse = 1 / alpha;
  const stiffness = beta * inverse + l2;
  const weightOf = (z: number, rootN: number): number => {
    const size = Math.abs(z);
    if (size <= l1) return 0;
    // The sign as a factor: a branch on it would be mispredicted about every other time.
    return (z / size) * ((l1 - size) / (stiffness + rootN * inverse));
  };
  return Object.freeze({
    weight: (state: Float64Array, at: number) => weightOf(state[at] as number, Math.sqrt(state[at + 1] as number)),
    update({ state, from, stride, weights, coordinates, inputs, slope, count }: Moves) {
      for (let i = 0; i < count; i++) {
        const coordinate = coordinates[i] as number;
        const at = from + coordinate * stride;
        const g = slope * (inputs[i] as number);
        const before = state[at + 1] as number;
        const n = before + g * g;
        const rootN = Math.sqrt(n);
        const z = (state[at] as number) + g - (rootN - Math.sqrt(before)) * inverse * (weights[coordinate] as number);
        state[at] = z;
        state[at + 1] = n;
        weights[coordinate] = weightOf(z, rootN);
      }
    },
  });
}
