import type { FeatureShape, Learner, LearnerLogic } from '../../../core/learner.js';
import { refusalOfWeight } from '../rows.js';
import {
  type LinearCells,
  type LinearModel,
  type LinearOptions,
  linearCells,
  linearSettings,
  linearStructure,
  openLinear,
} from './linear-model.js';

/** The logistic function: a score becomes a probability. */
export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

/**
 * Online logistic regression over dense and hashed features: the probability that the label is true.
 *
 * Guarantees: `predictOne` changes nothing; `learnOne` refuses a row with a feature that is not finite or beyond
 * `featureMax`, so no row beyond it can poison a weight or end its learning. A row within it is learnt as it is: a single one of 10^5 among
 * rows of 1 moves weights far, and it takes many rows to come back. After a restore every weight has the bits it had. A weight
 * multiplies the slope of the loss.
 * Memory: `optimizer.width` numbers of 8 bytes (rounded up to a power of two) for the intercept, each dense and each
 * hashed coordinate, and as many cached weights.
 * Source: the log loss and its slope as in Bottou, "Stochastic Gradient Descent Tricks" (2012), table 1.
 *
 * @example
 * learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), { as: 'late', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function logisticRegression(options: LinearOptions): Learner<boolean, number, LinearCells> {
  const { optimizer } = options;
  return Object.freeze<Learner<boolean, number, LinearCells>>({
    kind: 'logistic-regression',
    settings: linearSettings('logisticRegression', options),
    output: 'probability',
    structure: linearStructure(options),
    cells: (shape: FeatureShape) => linearCells(optimizer, shape),
    open: (cells, shape) => logistic(openLinear(cells, shape, options)),
  });
}

/** Log-odds that a row may move its score by: from what is sure to its opposite. */
const REACH_MAX = 20;

/** Probabilities by a model's score, and the log loss. */
export const logistic = (model: LinearModel): LearnerLogic<boolean, number> => ({
  refresh: model.refresh,
  predictOne: (features) => sigmoid(model.score(features)),
  learnOne(features, label, weight = 1) {
    const score = model.scoreOf(features);
    const refusal = Number.isNaN(score) ? model.refusalOf(features, weight) : refusalOfWeight(weight);
    if (refusal) return refusal;
    if (!Number.isFinite(score)) return 'not-finite';
    model.slope[1] = REACH_MAX;
    model.slope[0] = weight * (sigmoid(score) - (label ? 1 : 0));
    model.descend(features);
    return 'learnt';
  },
});
