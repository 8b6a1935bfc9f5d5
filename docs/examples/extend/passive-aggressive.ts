// A custom learner: numbers in, numbers out, its weights in a cell.
import { MillraceError } from 'millrace';
import {
  type FeatureNumbers,
  type FeatureShape,
  float64Cell,
  type Learner,
  type LearnerLogic,
  type OpenCells,
} from 'millrace/ml';

const cellsOf = ({ denseSize, hashedSize }: FeatureShape) => ({
  weights: float64Cell({ size: 1 + denseSize + hashedSize }),
});
type Cells = ReturnType<typeof cellsOf>;

export interface PassiveAggressiveOptions {
  /** The largest step for one row, above 0: small if labels are often wrong; 1 by default. */
  readonly aggressiveness?: number;
}

/**
 * Passive-aggressive classification (PA-I). If a row is on the right side with a margin of 1, the weights do not change. Otherwise they
 * move as little as this margin needs, by `aggressiveness` at most.
 *
 * The prediction is the margin through a sigmoid: from 0 to 1, above one half for the true side. It ranks rows well, but is not a
 * calibrated probability.
 *
 * Guarantee: a row with a number that is not finite is refused, and its prediction is one half. Memory: 8 bytes per coordinate.
 * Source: Crammer, Dekel, Keshet, Shalev-Shwartz and Singer, "Online Passive-Aggressive Algorithms", JMLR 7 (2006).
 *
 * @example
 * rows.via('model', { labels }, learn(passiveAggressive(), { as: 'rises', ... }));
 * @throws MillraceError `config` where the option is out of range
 */
export function passiveAggressive(options: PassiveAggressiveOptions = {}): Learner<boolean, number, Cells> {
  const { aggressiveness = 1 } = options;
  if (!(aggressiveness > 0 && Number.isFinite(aggressiveness)))
    throw new MillraceError('config', `passiveAggressive: aggressiveness is ${aggressiveness}`, {
      hint: 'give a finite number above 0',
    });
  return Object.freeze({
    kind: 'passive-aggressive',
    settings: Object.freeze({ aggressiveness }),
    output: 'probability',
    cells: cellsOf,
    open({ weights }: OpenCells<Cells>, { denseSize }: FeatureShape): LearnerLogic<boolean, number> {
      /** Calls back for every coordinate of a row: the intercept, then the dense ones, then the hashed ones. */
      const forEach = ({ dense, indices, values }: FeatureNumbers, visit: (at: number, value: number) => void) => {
        visit(0, 1);
        for (let i = 0; i < denseSize; i++) visit(1 + i, dense[i] as number);
        for (let i = 0; i < indices.length; i++) visit(1 + denseSize + (indices[i] as number), values[i] as number);
      };
      const read = (row: FeatureNumbers) => {
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
        learnOne(row, label, weight = 1) {
          const { margin, squaredNorm } = read(row);
          if (!Number.isFinite(margin) || !Number.isFinite(squaredNorm)) return 'not-finite';
          if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) return 'unusable-weight';
          const side = label ? 1 : -1;
          const loss = Math.max(0, 1 - side * margin);
          if (loss === 0) return 'learnt';
          const step = side * Math.min(aggressiveness * weight, loss / squaredNorm);
          forEach(row, (at, value) => {
            weights.values[at] = (weights.values[at] as number) + step * value;
            weights.touch(at);
          });
          return 'learnt';
        },
      };
    },
  });
}
