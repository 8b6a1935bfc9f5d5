import type { Transformer } from '../../core/learner.js';
import { type ScaleRule, type ScalerCells, scaler } from './scaler.js';

/** The mean and the variance of the population. */
const standard: ScaleRule = {
  width: 2,
  learn(state, at, x, rows, weight) {
    const before = state[at] as number;
    const share = weight / rows;
    const after = before + (x - before) * share;
    state[at] = after;
    const variance = state[at + 1] as number;
    state[at + 1] = variance + ((x - before) * (x - after) - variance) * share;
  },
  scaled(state, at, x) {
    const variance = state[at + 1] as number;
    return variance > 0 ? (x - (state[at] as number)) / Math.sqrt(variance) : 0;
  },
};

/**
 * Scales each dense feature to standard deviations from its mean; 0 while it has not varied. A row that counts `weight` times
 * moves mean and variance as so many rows.
 *
 * Guarantees: a prediction changes nothing; learning takes the row in and scales it by what was then learnt.
 * Memory: two numbers a feature. Source: West, "Updating Mean and Variance Estimates: An Improved Method", CACM 22 (1979).
 *
 * @example pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.05 }) }));
 */
export const standardScaler = (): Transformer<ScalerCells> => scaler('standard-scaler', standard);
