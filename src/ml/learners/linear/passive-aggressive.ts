import type { FeatureArray, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import { requireNotNegative, requirePositive } from '../../check-options.js';
import { isMeasurable } from '../../number-limits.js';
import { sgd } from '../../optimizers/sgd.js';
import { type LinearCells, linearCells, openLinear } from './linear-model.js';
import { sigmoid } from './logistic-regression.js';

/** How far one row may move the weights. */
export interface PassiveAggressiveOptions {
  /** The constant C: small where labels are often wrong; 1 by default. The weight of a row multiplies it. */
  readonly aggressiveness?: number;
  /** PA-I caps a move at C; PA-II shortens every move, the more the smaller C is. `I` by default. */
  readonly variant?: 'I' | 'II';
  /** Largest size of a feature: predictions clamp what is beyond, updates with it are refused; 1e6 by default. */
  readonly featureMax?: number;
}

/** As for classes, with the error that costs nothing. */
export interface PassiveAggressiveRegressionOptions extends PassiveAggressiveOptions {
  /** Errors up to this size leave the weights alone; 0.1 by default. */
  readonly tolerance?: number;
}

const squares = (numbers: FeatureArray, length: number): number => {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (numbers[i] as number) ** 2;
  return sum;
};

/** How far to move along a row for a loss: the intercept moves too, but is no part of the row's size. */
function stepOf({ aggressiveness = 1, variant = 'I' }: PassiveAggressiveOptions, { denseSize }: FeatureShape) {
  return ({ dense, indices, values }: FeatureNumbers, loss: number, weight: number): number => {
    const size = squares(dense, denseSize) + squares(values, indices.length);
    const c = aggressiveness * weight;
    if (variant === 'II') return loss / (size + 1 / (2 * c));
    return size > 0 ? Math.min(c, loss / size) : 0;
  };
}

const settingsOf = (options: PassiveAggressiveOptions) => {
  const { aggressiveness = 1, variant = 'I', featureMax } = options;
  requirePositive('passiveAggressive', { aggressiveness });
  return { aggressiveness, variant, ...(featureMax === undefined ? {} : { featureMax }) };
};

/** The weights move by what the rule says, so the optimizer only adds. */
const optimizer = sgd({ rate: 1 });

const linearOptions = ({ featureMax }: PassiveAggressiveOptions) => ({
  optimizer,
  ...(featureMax === undefined ? {} : { featureMax }),
});

/**
 * Passive-aggressive classification: leaves the weights alone where a row is on its side with a margin of 1, otherwise moves
 * them as far as that needs, within what `aggressiveness` allows. Predicts the score through a sigmoid: above a half for the true
 * side, and no calibrated probability.
 *
 * Guarantees: as those of `logisticRegression`. Memory: 16 bytes for the intercept and each coordinate.
 * Source: Crammer, Dekel, Keshet, Shalev-Shwartz and Singer, "Online Passive-Aggressive Algorithms", JMLR 7 (2006).
 *
 * @example learn(passiveAggressive({ aggressiveness: 0.1, variant: 'II' }), { as: 'fraud', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function passiveAggressive(options: PassiveAggressiveOptions = {}): Learner<boolean, number, LinearCells> {
  return Object.freeze<Learner<boolean, number, LinearCells>>({
    kind: 'passive-aggressive',
    settings: Object.freeze(settingsOf(options)),
    output: 'probability',
    cells: (shape: FeatureShape) => linearCells(optimizer, shape),
    open(cells, shape) {
      const model = openLinear(cells, shape, linearOptions(options));
      const step = stepOf(options, shape);
      return {
        refresh: model.refresh,
        predictOne: (features) => sigmoid(model.score(features)),
        learnOne(features, label, weight = 1) {
          const refusal = model.refusalOf(features, weight);
          if (refusal) return refusal;
          const side = label ? 1 : -1;
          const loss = 1 - side * model.scoreOf(features);
          if (!(loss > 0)) return 'learnt';
          model.slope[0] = -side * step(features, loss, weight);
          model.descend(features);
          return 'learnt';
        },
      };
    },
  });
}

/**
 * Passive-aggressive regression: leaves the weights alone where the error is within `tolerance`, otherwise moves them as far as
 * that needs, within what `aggressiveness` allows.
 *
 * Guarantees, memory and source: as `passiveAggressive`. A label that is not a number, or beyond 1e50, is refused.
 *
 * @example learn(passiveAggressiveRegression({ aggressiveness: 0.1, tolerance: 5 }), { as: 'delay', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function passiveAggressiveRegression(
  options: PassiveAggressiveRegressionOptions = {},
): Learner<number, number, LinearCells> {
  const { tolerance = 0.1 } = options;
  requireNotNegative('passiveAggressiveRegression', { tolerance });
  return Object.freeze<Learner<number, number, LinearCells>>({
    kind: 'passive-aggressive-regression',
    settings: Object.freeze({ ...settingsOf(options), tolerance }),
    output: 'number',
    cells: (shape: FeatureShape) => linearCells(optimizer, shape),
    open(cells, shape) {
      const model = openLinear(cells, shape, linearOptions(options));
      const step = stepOf(options, shape);
      return {
        refresh: model.refresh,
        predictOne: model.score,
        learnOne(features, label, weight = 1) {
          const refusal = model.refusalOf(features, weight);
          if (refusal) return refusal;
          if (!isMeasurable(label)) return 'unusable-label';
          const error = model.scoreOf(features) - label;
          const loss = Math.abs(error) - tolerance;
          if (!(loss > 0)) return 'learnt';
          model.slope[0] = Math.sign(error) * step(features, loss, weight);
          model.descend(features);
          return 'learnt';
        },
      };
    },
  });
}
