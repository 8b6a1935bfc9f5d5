import type { ClassLabel, ClassScores, FeatureNumbers, FeatureShape, Learner, Refusal } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { indicesOf, normalize, requireClasses } from '../classes.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';

/** What a naive Bayes classifier keeps of a class, and how likely a row is by it. */
export interface ClassModel {
  /** Numbers kept a class, beside the weight of its rows. */
  readonly width: number;
  /** Why it cannot take a row whose numbers are finite and not too large. */
  refusalOf?(features: FeatureNumbers): Refusal | undefined;
  /** Log likelihood of a row, given a class whose rows weigh `rows` and whose numbers lie at `state[at...]`. */
  logLikelihood(state: Float64Array, at: number, rows: number, features: FeatureNumbers): number;
  /** Takes in a row: `rows` is the weight of the class with it. */
  learn(cell: Float64Cell, at: number, rows: number, features: FeatureNumbers, weight: number): void;
}

const recordOf = (model: ClassModel): number => 1 + model.width;

const bayesCells = (model: ClassModel, classes: number) => ({
  classes: float64Cell({ size: classes * recordOf(model), block: 256 }),
});

export type BayesCells = ReturnType<typeof bayesCells>;

/** What the classifiers have in common: a prior by the weights of the classes, and shares that add up to 1. */
export function naiveBayes<const C extends ClassLabel>(
  kind: string,
  {
    classes,
    settings,
    structure,
  }: { readonly classes: readonly C[]; readonly settings: Settings; readonly structure?: Settings },
  modelOf: (shape: FeatureShape) => ClassModel,
): Learner<C, ClassScores, BayesCells> {
  requireClasses(kind, classes);
  return Object.freeze<Learner<C, ClassScores, BayesCells>>({
    kind,
    settings: Object.freeze({ classes: classes.join(', '), ...settings }),
    output: 'scores',
    classes,
    ...(structure ? { structure } : {}),
    cells: (shape) => bayesCells(modelOf(shape), classes.length),
    open({ classes: cell }, shape) {
      const model = modelOf(shape);
      const record = recordOf(model);
      const { values: state } = cell;
      const scores = new Float64Array(classes.length);
      const indices = indicesOf(classes);
      const limits = rowLimits(shape.denseSize, FEATURE_MAX);
      return {
        predictOne(features) {
          const usable = limits.usable(features);
          let total = 0;
          for (let c = 0; c < scores.length; c++) total += state[c * record] as number;
          for (let c = 0; c < scores.length; c++) {
            const rows = state[c * record] as number;
            scores[c] =
              rows > 0
                ? Math.log(rows / total) + model.logLikelihood(state, c * record + 1, rows, usable)
                : Number.NEGATIVE_INFINITY;
          }
          return normalize(scores);
        },
        learnOne(features, label, weight = 1) {
          const refusal = limits.refusalOf(features, weight) ?? model.refusalOf?.(features);
          if (refusal) return refusal;
          const index = indices.get(label);
          if (index === undefined) return 'unknown-class';
          const at = index * record;
          const rows = (state[at] as number) + weight;
          state[at] = rows;
          cell.touch(at);
          model.learn(cell, at + 1, rows, features, weight);
          return 'learnt';
        },
      };
    },
  });
}
