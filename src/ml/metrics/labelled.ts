import type { ClassLabel } from '../../core/learner.js';

/** A prediction with its label: what metrics are made of. A record with more fields is one too. */
export interface Labelled<out P = unknown, out L = unknown> {
  readonly prediction: P | null | undefined;
  readonly label: L | null | undefined;
  /** How much the row counts; 1 by default. */
  readonly weight?: number | null | undefined;
}

/** A label that is true or false. */
export type BinaryLabel = boolean | number;

/** Scores of classes: in the order of the declared classes, or by their names. */
export type ScoresOfClasses = ArrayLike<number> | Readonly<Record<string, number>>;

/** What a metric judges: probabilities of a label that is true or false, or scores of declared classes. */
export interface ScoreOptions {
  /** The classes, in the order of their scores; without them labels are true or false. 1,000 at most. */
  readonly classes?: readonly ClassLabel[];
}

/** The rows of a metric over probabilities, by its options. */
export type ScoredBy<O> = O extends { readonly classes: readonly (infer C)[] }
  ? Labelled<ScoresOfClasses, C>
  : Labelled<number, BinaryLabel>;

/** Numbers and weights beyond it are no measurements: their squares and the sums of these are finite. */
const LARGEST = 1e90;

/** Whether a metric can add a number up. */
export const isUsable = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= LARGEST;

/** The weight of a row; NaN for one that cannot be used. */
export function weightOf({ weight }: Pick<Labelled, 'weight'>): number {
  if (weight === undefined || weight === null) return 1;
  return isUsable(weight) && weight > 0 ? weight : Number.NaN;
}

/** 1 or 0 for a label that is true or false; NaN for one that is neither. */
export function truthOf(label: unknown): number {
  if (label === true || label === 1) return 1;
  return label === false || label === 0 ? 0 : Number.NaN;
}

/** A probability; NaN for what is none. */
export const probabilityOf = (prediction: unknown): number =>
  typeof prediction === 'number' && prediction >= 0 && prediction <= 1 ? prediction : Number.NaN;

/** Reads the score of a class, by its place among the classes; NaN for what is no score. */
export function scoreReader(classes: readonly ClassLabel[]): (prediction: unknown, place: number) => number {
  const names = classes.map(String);
  return (prediction, place) => {
    if (typeof prediction !== 'object' || prediction === null) return Number.NaN;
    const score: unknown =
      Array.isArray(prediction) || ArrayBuffer.isView(prediction)
        ? (prediction as ArrayLike<number>)[place]
        : (prediction as Record<string, unknown>)[names[place] as string];
    return isUsable(score) ? score : Number.NaN;
  };
}

/** The place of the greatest number from `from` on; the first of equal ones. */
export function greatest(scores: ArrayLike<number>, from: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if ((scores[from + i] as number) > (scores[from + best] as number)) best = i;
  return best;
}
