import type { FeatureShape, FeatureVector, Learner, LearnerLogic, OpenCells } from '../../../src/core/index.js';
import { float64Cell } from '../../../src/state/index.js';

const cellsOf = ({ denseSize, hashedSize }: FeatureShape) => ({
  weights: float64Cell({ size: 1 + denseSize + hashedSize }),
});
type Cells = ReturnType<typeof cellsOf>;

/**
 * The perceptron: moves the weights of a row it was wrong about, by `rate`.
 *
 * Guarantee: a row with a number that is not finite is refused, and predicted as undecided. Memory: 8 bytes a coordinate.
 * Source: Rosenblatt, "The perceptron", Psychological Review 65 (1958).
 *
 * @example
 * learn(perceptron({ rate: 0.1 }), { as: 'fraud', ... });
 */
export function perceptron({ rate }: { readonly rate: number }): Learner<boolean, number, Cells> {
  return Object.freeze({
    kind: 'perceptron',
    settings: Object.freeze({ rate }),
    cells: cellsOf,
    open: ({ weights }: OpenCells<Cells>, { denseSize }: FeatureShape): LearnerLogic<boolean, number> => {
      /** Calls back for every coordinate of a row: first the intercept, then the dense, then the hashed ones. */
      const forEach = ({ dense, indices, values }: FeatureVector, visit: (at: number, value: number) => void) => {
        visit(0, 1);
        for (let i = 0; i < denseSize; i++) visit(1 + i, dense[i] as number);
        for (let i = 0; i < indices.length; i++) visit(1 + denseSize + (indices[i] as number), values[i] as number);
      };
      const score = (row: FeatureVector) => {
        let sum = 0;
        forEach(row, (at, value) => {
          sum += (weights.values[at] as number) * value;
        });
        return sum;
      };
      return {
        predictOne(row) {
          const sum = score(row);
          return Number.isFinite(sum) ? 1 / (1 + Math.exp(-sum)) : 0.5;
        },
        learnOne(row, label) {
          const sum = score(row);
          if (!Number.isFinite(sum)) return false;
          const error = Number(label) - Number(sum > 0);
          if (error !== 0) {
            forEach(row, (at, value) => {
              weights.values[at] = (weights.values[at] as number) + rate * error * value;
              weights.touch(at);
            });
          }
          return true;
        },
      };
    },
  });
}
