import { nextMean, squaredDistance } from '../../util/moments.js';

/**
 * Running mean and variance of some features, in one typed array that a state cell may own: `[rows, mean..., variance...]`.
 * The variance is the population's. Welford's update, as in River's StandardScaler: learning moves it, scaling never does.
 */
export interface StandardScaler {
  /** Where a value stands: standard deviations from the mean; 0 while the feature has not varied. */
  scaled(feature: number, x: number): number;
  /** Takes in one row. */
  learn(row: ArrayLike<number>): void;
}

export const scalerSize = (features: number): number => 1 + 2 * features;

export function standardScaler(state: Float64Array, features: number): StandardScaler {
  const means = 1;
  const variances = 1 + features;
  return {
    scaled(feature, x) {
      const variance = state[variances + feature] as number;
      return variance > 0 ? (x - (state[means + feature] as number)) / Math.sqrt(variance) : 0;
    },
    learn(row) {
      const rows = (state[0] as number) + 1;
      state[0] = rows;
      for (let i = 0; i < features; i++) {
        const x = row[i] as number;
        const before = state[means + i] as number;
        const after = nextMean(before, x, rows);
        state[means + i] = after;
        // The variance of a population is the mean of these.
        state[variances + i] = nextMean(state[variances + i] as number, squaredDistance(x, before, after), rows);
      }
    },
  };
}
