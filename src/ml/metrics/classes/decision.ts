import type { Problem } from '../../../core/index.js';
import type { ClassLabel } from '../../../core/learner.js';
import {
  type BinaryLabel,
  greatest,
  isUsable,
  type Labelled,
  type ScoresOfClasses,
  scoreReader,
  truthOf,
} from '../labelled.js';
import { classesText, classProblems } from '../metric.js';

/** What a prediction decides for: true or false by a threshold, or one of declared classes. */
export type DecisionOptions =
  | {
      /** A probability, or any score, above it decides for true; 0.5 by default. */
      readonly threshold?: number;
      readonly classes?: undefined;
    }
  | {
      /** A prediction is one of them, or their scores, of which the greatest decides. 256 at most. */
      readonly classes: readonly ClassLabel[];
      readonly threshold?: undefined;
    };

/** The rows of a metric over decisions, by its options. */
export type DecidedBy<O> = O extends { readonly classes: readonly (infer C)[] }
  ? Labelled<C | ScoresOfClasses, C>
  : Labelled<number | boolean, BinaryLabel>;

/** Reads labels and predictions as places of classes; -1 is what cannot be used. */
export interface Decider {
  readonly text: string;
  readonly problems: readonly Problem[];
  /** What labels can be: false and true, or the declared classes. */
  readonly classes: number;
  /** What predictions can be: the last one of declared classes is a class that is not declared. */
  readonly decisions: number;
  labelOf(label: unknown): number;
  decisionOf(prediction: unknown): number;
}

export function deciderOf({ threshold = 0.5, classes }: DecisionOptions): Decider {
  if (classes !== undefined) return amongClasses(classes);
  const hint = 'give a number; of a probability one between 0 and 1';
  return {
    text: ` above ${threshold}`,
    problems: isUsable(threshold) ? [] : [{ message: `the threshold is ${threshold}`, hint }],
    classes: 2,
    decisions: 2,
    labelOf: (label) => {
      const truth = truthOf(label);
      return Number.isNaN(truth) ? -1 : truth;
    },
    decisionOf(prediction) {
      if (typeof prediction === 'boolean') return Number(prediction);
      if (!isUsable(prediction)) return -1;
      return prediction > threshold ? 1 : 0;
    },
  };
}

const CLASSES_MAX = 256;

function amongClasses(classes: readonly ClassLabel[]): Decider {
  const places = new Map<unknown, number>(classes.map((label, place) => [label, place]));
  const scoreOf = scoreReader(classes);
  const scores = new Float64Array(classes.length);
  return {
    text: classesText(classes),
    problems: classProblems(classes, CLASSES_MAX),
    classes: classes.length,
    decisions: classes.length + 1,
    labelOf: (label) => places.get(label) ?? -1,
    decisionOf(prediction) {
      if (typeof prediction !== 'object' || prediction === null) {
        if (prediction === null || prediction === undefined || Number.isNaN(prediction)) return -1;
        return places.get(prediction) ?? classes.length;
      }
      for (let c = 0; c < scores.length; c++) scores[c] = scoreOf(prediction, c);
      return scores.some(Number.isNaN) ? -1 : greatest(scores, 0, scores.length);
    },
  };
}
