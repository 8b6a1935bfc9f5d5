import type { Transformer } from '../../core/learner.js';
import { type ScaleRule, type ScalerCells, scaler } from './scaler.js';

/** The least and the greatest value. */
const minMax: ScaleRule = {
  width: 2,
  learn(state, row, size) {
    const isFirst = state[0] === 0;
    for (let i = 0, at = 1; i < size; i++, at += 2) {
      const x = row[i] as number;
      if (isFirst || x < (state[at] as number)) state[at] = x;
      if (isFirst || x > (state[at + 1] as number)) state[at + 1] = x;
    }
  },
  scale(state, row, size, into) {
    for (let i = 0, at = 1; i < size; i++, at += 2) {
      const least = state[at] as number;
      const range = (state[at + 1] as number) - least;
      into[i] = range > 0 ? ((row[i] as number) - least) / range : 0;
    }
  },
};

/**
 * Scales each dense feature to its range so far: 0 at the least value, 1 at the greatest, 0 while all were equal. A prediction
 * may lie beyond. One extreme value squeezes all others for ever: `robustScaler` does not have that.
 *
 * Memory: two numbers a feature.
 *
 * @example pipe(minMaxScaler(), softmaxRegression({ classes: ['low', 'high'], optimizer: sgd({ rate: 0.1 }) }));
 */
export const minMaxScaler = (): Transformer<ScalerCells> => scaler('min-max-scaler', minMax);
