import type { FeatureShape, Learner } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import { sgd } from '../../optimizers/sgd.js';
import { type LinearCells, linearCells, openLinear } from './linear-model.js';
import { sigmoid } from './logistic-regression.js';

/** How many rows a learner with a fixed rule takes as given. */
export interface PerceptronOptions {
  /** Largest size of a feature: predictions clamp what is beyond, updates with it are refused; 1e6 by default. */
  readonly featureMax?: number;
}

/**
 * The perceptron: adds a row that lies on the wrong side of the weights, or on the line, to them or takes it away. Predicts the
 * score through a sigmoid: above a half for the true side, and no calibrated probability.
 *
 * Guarantees: as those of `logisticRegression`. Memory: 16 bytes for the intercept and each coordinate.
 * Source: Rosenblatt, "The Perceptron", Psychological Review 65 (1958).
 *
 * @example learn(pipe(standardScaler(), perceptron()), { as: 'fraud', ... });
 */
export function perceptron(options: PerceptronOptions = {}): Learner<boolean, number, LinearCells> {
  const { featureMax } = options;
  const settings: Settings = featureMax === undefined ? {} : { featureMax };
  const optimizer = sgd({ rate: 1 });
  return Object.freeze<Learner<boolean, number, LinearCells>>({
    kind: 'perceptron',
    settings: Object.freeze(settings),
    output: 'probability',
    cells: (shape: FeatureShape) => linearCells(optimizer, shape),
    open(cells, shape) {
      const model = openLinear(cells, shape, { optimizer, ...options });
      return {
        refresh: model.refresh,
        predictOne: (features) => sigmoid(model.score(features)),
        learnOne(features, label, weight = 1) {
          const refusal = model.refusalOf(features, weight);
          if (refusal) return refusal;
          const side = label ? 1 : -1;
          if (!(side * model.scoreOf(features) <= 0)) return 'learnt';
          model.slope[0] = -side * weight;
          model.descend(features);
          return 'learnt';
        },
      };
    },
  });
}
