import { MillraceError } from '../../core/errors.js';
import type {
  ClassLabel,
  ClassScores,
  FeatureNumbers,
  FeatureShape,
  Learner,
  LearnerOutput,
  Refusal,
} from '../../core/learner.js';
import type { Settings } from '../../core/operator.js';
import type { CellSpecs, OpenCells } from '../../core/state.js';
import { isMeasurable, NUMBER_MAX } from '../number-limits.js';
import { indicesOf } from './classes.js';
import { rowLimits } from './rows.js';

/** Labels as numbers, and predictions made of numbers. */
export interface Labels<Y, P> {
  readonly output: LearnerOutput;
  readonly classes?: readonly (Y & ClassLabel)[];
  /** Numbers of a prediction. */
  readonly outputs: number;
  /** Whether it is a declared class, or a number that may be learnt. */
  isUsable(label: Y): boolean;
  /** The index of a class, or the number as it was given: a computed one would be an object on the heap. */
  numberOf(label: Y): number;
  readonly refusal: Refusal;
  predictionOf(numbers: Float64Array): P;
}

/** Classes: scores of each. */
export function classLabels<C extends ClassLabel>(classes: readonly C[]): Labels<C, ClassScores> {
  const indices = indicesOf(classes);
  return {
    output: 'scores',
    classes,
    outputs: classes.length,
    isUsable: (label) => indices.has(label),
    numberOf: (label) => indices.get(label) as number,
    refusal: 'unknown-class',
    predictionOf: (scores) => scores,
  };
}

/** Numbers as they are, unless they are no measurements. */
export const numberLabels: Labels<number, number> = {
  output: 'number',
  outputs: 1,
  isUsable: isMeasurable,
  numberOf: (label) => label,
  refusal: 'unusable-label',
  predictionOf: (numbers) => numbers[0] as number,
};

/** What predicts and learns behind the checks: rows are usable, a label is the index of a class or a number. */
export interface DenseLogic {
  predict(row: FeatureNumbers, into: Float64Array): void;
  learn(row: FeatureNumbers, label: number, weight: number): void;
}

/** A learner of classes or numbers that needs no scaled features: the checks that all have in common. */
export function denseLearner<Y, P, S extends CellSpecs>(
  kind: string,
  declared: {
    readonly labels: Labels<Y, P>;
    readonly settings: Settings;
    readonly structure?: Settings;
    readonly cells: (shape: FeatureShape) => S;
  },
  openLogic: (cells: OpenCells<S>, shape: FeatureShape) => DenseLogic,
): Learner<Y, P, S> {
  const { labels, settings, structure, cells } = declared;
  const { classes, output, outputs } = labels;
  return Object.freeze<Learner<Y, P, S>>({
    kind,
    settings: Object.freeze({ ...(classes ? { classes: classes.join(', ') } : {}), ...settings }),
    output,
    ...(classes ? { classes } : {}),
    ...(structure ? { structure: Object.freeze(structure) } : {}),
    cells,
    open(opened, shape) {
      const logic = openLogic(opened, shape);
      const limits = rowLimits(shape.denseSize, NUMBER_MAX);
      const prediction = new Float64Array(outputs);
      return {
        predictOne(features) {
          logic.predict(limits.usable(features), prediction);
          return labels.predictionOf(prediction);
        },
        learnOne(features, label, weight = 1) {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          if (!labels.isUsable(label)) return labels.refusal;
          logic.learn(features, labels.numberOf(label), weight);
          return 'learnt';
        },
      };
    },
  });
}

/** Refuses views without dense features, or with hashed ones. */
export function requireDense(where: string, { denseSize, hashedSize }: FeatureShape): void {
  if (denseSize > 0 && hashedSize === 0) return;
  throw new MillraceError('config', `${where}: the view has hashed features, or no dense ones`, {
    hint: 'give it dense features only',
  });
}
