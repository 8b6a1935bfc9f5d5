import type { Transformer } from '../../core/learner.js';
import { type ScaleRule, type ScalerCells, scaler } from './scaler.js';

/** The mean and the variance of the population. */
const standard: ScaleRule = {
  width: 2,
  learn(state, row, size, rows, weight) {
    const share = weight / rows;
    for (let i = 0, at = 1; i < size; i++, at += 2) {
      const x = row[i] as number;
      const before = state[at] as number;
      const after = before + (x - before) * share;
      state[at] = after;
      const variance = state[at + 1] as number;
      state[at + 1] = variance + ((x - before) * (x - after) - variance) * share;
    }
  },
  scale(state, row, size, into) {
    for (let i = 0, at = 1; i < size; i++, at += 2) {
      const variance = state[at + 1] as number;
      into[i] = variance > 0 ? ((row[i] as number) - (state[at] as number)) / Math.sqrt(variance) : 0;
    }
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
