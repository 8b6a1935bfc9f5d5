import type { Learner, LearnerOutput, Refusal } from '../../../core/learner.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { refusalOfWeight } from '../rows.js';

const labelCells = (size: number) => ({ labels: float64Cell({ size, block: 256 }) });

export type LabelCells = ReturnType<typeof labelCells>;

/** A learner that looks at labels only: what it keeps of them, and what it says by that. */
export interface LabelRule<Y, P> {
  readonly output: LearnerOutput;
  readonly classes?: readonly (Y & (string | number | boolean))[];
  /** Numbers kept. */
  readonly size: number;
  /** `scores` is room for scores, as many as there are numbers. */
  predict(labels: Float64Array, scores: Float64Array): P;
  /** Takes in a label, or says why it cannot. */
  learn(labels: Float64Cell, label: Y, weight: number): Refusal | undefined;
}

/** A learner that does not look at features, so that they may be missing, too. */
export function labelLearner<Y, P>(kind: string, { output, classes, size, predict, learn }: LabelRule<Y, P>) {
  return Object.freeze<Learner<Y, P, LabelCells>>({
    kind,
    settings: Object.freeze<Record<string, string>>(classes ? { classes: classes.join(', ') } : {}),
    output,
    ...(classes ? { classes } : {}),
    missing: 'native',
    cells: () => labelCells(size),
    open({ labels }) {
      const scores = new Float64Array(size);
      return {
        predictOne: () => predict(labels.values, scores),
        learnOne(_features, label, weight = 1) {
          return refusalOfWeight(weight) ?? learn(labels, label, weight) ?? 'learnt';
        },
      };
    },
  });
}
