// A custom learner: numbers in, numbers out, its weights in a cell.
import {
  type FeatureShape,
  type FeatureVector,
  float64Cell,
  type Learner,
  type LearnerLogic,
  type OpenCells,
} from 'millrace/ml';

const cellsOf = ({ denseSize, hashedSize, layout = 0 }: FeatureShape) => ({
  weights: float64Cell({ size: 1 + denseSize + hashedSize, version: layout }),
});
type Cells = ReturnType<typeof cellsOf>;

export interface PassiveAggressiveOptions {
  /** How far one row may move the weights: small where labels are often wrong; 1 by default. */
  readonly aggressiveness?: number;
}

/**
 * Passive-aggressive classification (PA-I): leaves the weights alone where a row is on the right side with a margin of 1,
 * otherwise moves them just as far as that needs, by `aggressiveness` at most.
 *
 * Predicts the margin through a sigmoid: from 0 to 1, above a half for the true side. It orders rows well and is no
 * calibrated probability.
 *
 * Guarantee: a row with a number that is not finite is refused, and predicted as undecided. Memory: 8 bytes a coordinate.
 * Source: Crammer, Dekel, Keshet, Shalev-Shwartz and Singer, "Online Passive-Aggressive Algorithms", JMLR 7 (2006).
 *
 * @example
 * rows.via('model', { labels }, learn(passiveAggressive(), { as: 'rises', ... }));
 */
export function passiveAggressive(options: PassiveAggressiveOptions = {}): Learner<boolean, number, Cells> {
  const { aggressiveness = 1 } = options;
  return Object.freeze({
    kind: 'passive-aggressive',
    settings: Object.freeze({ aggressiveness }),
    cells: cellsOf,
    open({ weights }: OpenCells<Cells>, { denseSize }: FeatureShape): LearnerLogic<boolean, number> {
      /** Calls back for every coordinate of a row: first the intercept, then the dense, then the hashed ones. */
      const forEach = ({ dense, indices, values }: FeatureVector, visit: (at: number, value: number) => void) => {
        visit(0, 1);
        for (let i = 0; i < denseSize; i++) visit(1 + i, dense[i] as number);
        for (let i = 0; i < indices.length; i++) visit(1 + denseSize + (indices[i] as number), values[i] as number);
      };
      const read = (row: FeatureVector) => {
        let margin = 0;
        let squaredNorm = 0;
        forEach(row, (at, value) => {
          margin += (weights.values[at] as number) * value;
          squaredNorm += value * value;
        });
        return { margin, squaredNorm };
      };
      return {
        predictOne(row) {
          const { margin } = read(row);
          return Number.isFinite(margin) ? 1 / (1 + Math.exp(-margin)) : 0.5;
        },
        learnOne(row, label) {
          const { margin, squaredNorm } = read(row);
          if (!Number.isFinite(margin) || !Number.isFinite(squaredNorm)) return false;
          const side = label ? 1 : -1;
          const loss = Math.max(0, 1 - side * margin);
          if (loss === 0) return true;
          const step = side * Math.min(aggressiveness, loss / squaredNorm);
          forEach(row, (at, value) => {
            weights.values[at] = (weights.values[at] as number) + step * value;
            weights.touch(at);
          });
          return true;
        },
      };
    },
  });
}
