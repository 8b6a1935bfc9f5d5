import type { ClassLabel, ClassScores, Learner, Refusal } from '../../core/learner.js';
import { binaryJudge, classJudge, type Judge, numberJudge } from '../../ml/evaluation/judges.js';
import type { LabelKind } from '../../ml/index.js';
import { greatest } from '../../ml/metrics/labelled.js';
import { logLossOf } from '../../ml/metrics/probabilities/log-loss.js';
import { isMeasurable } from '../../ml/number-limits.js';
import { objectOf } from '../../util/literals.js';

interface Versioned<B> {
  /** `step.task.labels`: the model by the number of labels that it had learned from, rounded down to `versionEveryLabels`. */
  readonly modelVersion: string;
  /** What each baseline said of the same record, knowing no more than the model did. */
  readonly baselines: B;
}

/** What `learn` adds to a record where labels are true or false. */
export interface Learned<B extends string = string> extends Versioned<{ readonly [P in B]: number }> {
  /** Probability that the label will be true, by the model as it was when the record came. */
  readonly probability: number;
}

/** What `learn` adds to a record where labels are numbers. */
export interface LearnedNumber<B extends string = string> extends Versioned<{ readonly [P in B]: number }> {
  /** The number that the label will be. */
  readonly value: number;
}

/** What `learn` adds to a record where labels are classes. */
export interface LearnedClass<C extends ClassLabel = ClassLabel, B extends string = string>
  extends Versioned<{ readonly [P in B]: C }> {
  /** The class with the greatest score; the first of equal ones. */
  readonly label: C;
  /** The share of each class, by its name; they add up to 1. */
  readonly scores: { readonly [P in `${C}`]: number };
}

/** What labels are, by the types of a learner. */
export type LabelKindOf<Y, P> = [P] extends [ClassScores] ? 'class' : [Y] extends [boolean] ? 'binary' : 'number';

/** What `learn` adds, by the types of a learner and the names of the baselines. */
export type LearnedBy<Y, P, B extends string> = [P] extends [ClassScores]
  ? LearnedClass<Y & ClassLabel, B>
  : [Y] extends [boolean]
    ? Learned<B>
    : LearnedNumber<B>;

/** How one kind of labels is predicted, scored and shown. A prediction is numbers, the model's first, then one a baseline. */
export interface LabelForm {
  readonly kind: LabelKind;
  readonly classes: number;
  readonly judge: Judge;
  /** Writes a model's prediction from `said[at]` on. */
  write(prediction: unknown, said: number[], at: number): void;
  /** How wrong the prediction at `said[at]` was: log loss, of numbers the squared error. */
  lossOf(said: readonly number[], at: number, truth: number): number;
  /** A label as a number, or why it is none. */
  truthOf(label: unknown): number | Refusal;
  /** What a record gets. */
  shown(said: readonly number[], modelVersion: string): unknown;
}

/** The form for a learner's labels; `undefined` for one that learns without labels. */
export function labelForm(
  { output, classes = [] }: Pick<Learner<never, unknown>, 'output' | 'classes'>,
  baselines: readonly string[],
): LabelForm | undefined {
  const named = objectOf(baselines);
  const one = {
    classes: 0,
    write(prediction: unknown, said: number[], at: number) {
      said[at] = prediction as number;
    },
  };
  if (output === 'probability')
    return {
      kind: 'binary',
      judge: binaryJudge,
      ...one,
      lossOf: (said, at, truth) => logLossOf(said[at] as number, truth === 1),
      truthOf: (label) => (typeof label === 'boolean' ? Number(label) : 'unusable-label'),
      shown: (said, modelVersion) => ({ probability: said[0], modelVersion, baselines: named(said, 1) }),
    };
  if (output === 'number')
    return {
      kind: 'number',
      judge: numberJudge,
      ...one,
      lossOf: (said, at, truth) => ((said[at] as number) - truth) ** 2,
      truthOf: (label) => (isMeasurable(label) ? label : 'unusable-label'),
      shown: (said, modelVersion) => ({ value: said[0], modelVersion, baselines: named(said, 1) }),
    };
  if (output !== 'scores') return undefined;
  const width = classes.length;
  const scoresOf = objectOf(classes.map(String));
  const places = new Map(classes.map((label, place) => [label, place]));
  return {
    kind: 'class',
    classes: width,
    judge: classJudge(width),
    write(prediction, said, at) {
      for (let c = 0; c < width; c++) said[at + c] = (prediction as ClassScores)[c] as number;
    },
    lossOf: (said, at, truth) => logLossOf(said[at + truth] as number, true),
    truthOf: (label) => places.get(label as ClassLabel) ?? 'unknown-class',
    shown(said, modelVersion) {
      const label = classes[greatest(said, 0, width)];
      const others = said.slice(width, width + baselines.length).map((place) => classes[place]);
      return { label, scores: scoresOf(said, 0), modelVersion, baselines: named(others, 0) };
    },
  };
}
