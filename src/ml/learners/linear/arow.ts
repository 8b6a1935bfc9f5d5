import type { FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import { requirePositive } from '../../check-options.js';
import { modelNumbers } from '../model-numbers.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';
import { sigmoid } from './logistic-regression.js';

/** How AROW trades old rows against new ones. */
export interface ArowOptions {
  /** The constant r: the greater, the less one row moves; 1 by default. The weight of a row divides it. */
  readonly regularization?: number;
  /** Largest size of a feature: predictions clamp what is beyond, updates with it are refused; 1e6 by default. */
  readonly featureMax?: number;
}

/** Two numbers a coordinate: the mean of its weight, and the variance, where 0 stands for the first one, which is 1. */
const WIDTH = 2;

const arowCells = ({ denseSize, hashedSize }: FeatureShape) => ({
  weights: modelNumbers(WIDTH * (1 + denseSize + hashedSize)),
});

type Cells = ReturnType<typeof arowCells>;

/**
 * Adaptive regularization of weights (AROW), with a diagonal covariance: each weight has a variance that falls with the rows that
 * had its feature, so frequent features settle while rare ones still move. Robust where labels are often wrong. Predicts the
 * score through a sigmoid: above a half for the true side, and no calibrated probability.
 *
 * Guarantees: as those of `logisticRegression`. Memory: 16 bytes for the intercept and each coordinate.
 * Source: Crammer, Kulesza and Dredze, "Adaptive Regularization of Weight Vectors", NIPS 2009, figure 1, its diagonal.
 *
 * @example learn(arow({ regularization: 10 }), { as: 'fraud', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function arow(options: ArowOptions = {}): Learner<boolean, number, Cells> {
  const { regularization = 1, featureMax = FEATURE_MAX } = options;
  requirePositive('arow', { regularization, featureMax });
  return Object.freeze<Learner<boolean, number, Cells>>({
    kind: 'arow',
    settings: Object.freeze({ regularization, featureMax }),
    output: 'probability',
    cells: arowCells,
    open({ weights }, { denseSize }) {
      const { values: state } = weights;
      const limits = rowLimits(denseSize, featureMax);
      const firstHashed = WIDTH * (1 + denseSize);
      const varianceAt = (at: number): number => (state[at + 1] as number) || 1;
      const scoreOf = ({ dense, indices, values }: FeatureNumbers): number => {
        let sum = state[0] as number;
        for (let i = 0; i < denseSize; i++) sum += (state[WIDTH * (1 + i)] as number) * (dense[i] as number);
        for (let i = 0; i < indices.length; i++)
          sum += (state[firstHashed + WIDTH * (indices[i] as number)] as number) * (values[i] as number);
        return sum;
      };
      /** How unsure the score of a row is: its squares, each by the variance of its weight. */
      const confidenceOf = ({ dense, indices, values }: FeatureNumbers): number => {
        let sum = varianceAt(0);
        for (let i = 0; i < denseSize; i++) sum += varianceAt(WIDTH * (1 + i)) * (dense[i] as number) ** 2;
        for (let i = 0; i < indices.length; i++)
          sum += varianceAt(firstHashed + WIDTH * (indices[i] as number)) * (values[i] as number) ** 2;
        return sum;
      };
      /** `spared` times `beta` is the share that a variance keeps at least. Rounding may take that too, but 0 stands for 1. */
      const move = (at: number, x: number, alpha: number, beta: number, spared: number) => {
        const variance = varianceAt(at);
        state[at] = (state[at] as number) + alpha * variance * x;
        const left = variance - beta * (variance * x) ** 2;
        state[at + 1] = left > 0 ? left : Math.max(Number.MIN_VALUE, variance * beta * spared);
        weights.touch(at);
      };
      return {
        predictOne: (features) => sigmoid(scoreOf(limits.usable(features))),
        learnOne(features, label, weight = 1) {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          const side = label ? 1 : -1;
          const loss = 1 - side * scoreOf(features);
          if (loss <= 0) return 'learnt';
          const spared = regularization / weight;
          const beta = 1 / (confidenceOf(features) + spared);
          const alpha = side * loss * beta;
          const { dense, indices, values } = features;
          move(0, 1, alpha, beta, spared);
          for (let i = 0; i < denseSize; i++) move(WIDTH * (1 + i), dense[i] as number, alpha, beta, spared);
          for (let i = 0; i < indices.length; i++)
            move(firstHashed + WIDTH * (indices[i] as number), values[i] as number, alpha, beta, spared);
          return 'learnt';
        },
      };
    },
  });
}
