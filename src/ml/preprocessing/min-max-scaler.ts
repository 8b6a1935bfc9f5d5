import type { Transformer } from '../../core/learner.js';
import { type ScaleRule, type ScalerCells, scaler } from './scaler.js';

/** The least and the greatest value. */
const minMax: ScaleRule = {
  width: 2,
  learn(state, at, x, rows, weight) {
    const isFirst = rows === weight;
    if (isFirst || x < (state[at] as number)) state[at] = x;
    if (isFirst || x > (state[at + 1] as number)) state[at + 1] = x;
  },
  scaled(state, at, x) {
    const least = state[at] as number;
    const range = (state[at + 1] as number) - least;
    return range > 0 ? (x - least) / range : 0;
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
