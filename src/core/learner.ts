import type { Settings } from './operator.js';
import type { CellSpecs, OpenCells } from './state.js';

/** Numbers of features: `Float32Array` as views make them, `Float64Array` as transformers do. */
export type FeatureArray = Float32Array | Float64Array;

/**
 * The input of a model: a dense part and a hashed part, whose coordinates follow those of the dense part. `values[i]` belongs to
 * `indices[i]`; indices are below the view's `hashedSize`.
 */
export interface FeatureNumbers {
  readonly dense: FeatureArray;
  readonly indices: Uint32Array;
  readonly values: FeatureArray;
}

/** The input of a model, computed by a view. */
export interface FeatureVector extends FeatureNumbers {
  /** Name and hash of the view that computed it. */
  readonly view: string;
  readonly hash: string;
  readonly dense: Float32Array;
  readonly values: Float32Array;
}

/** Neighbouring places of the dense part that stand for one category: 1 at the row's value, 0 at the others. */
export interface CategoryPlaces {
  readonly at: number;
  /** Number of values. */
  readonly size: number;
}

/** The size of a view's vectors, which a learner allocates by. */
export interface FeatureShape {
  readonly denseSize: number;
  readonly hashedSize: number;
  /** Which dense places are categories; all others are numbers. */
  readonly categories?: readonly CategoryPlaces[];
  /** Identifies the meaning of the coordinates. State learnt with another layout is refused at restore instead of misread. */
  readonly layout?: number;
}

/**
 * What a learner predicts. `probability`: that the label is true. `number`: the label itself. `scores`: a share for each of
 * `classes`, in their order, which add up to 1. `distances`: to each cluster. `anomaly`: from 0 (usual) to 1. The last two learn
 * without labels.
 */
export type LearnerOutput = 'probability' | 'number' | 'scores' | 'distances' | 'anomaly';

/** What a class may be. */
export type ClassLabel = string | number | boolean;

/** A score for each class, in the order of the learner's `classes`. Valid until the next prediction. */
export type ClassScores = Float64Array;

/** A distance to each cluster, infinite to one that has no centre yet. Valid until the next prediction. */
export type ClusterDistances = Float64Array;

/**
 * Why a row was not learnt from: a feature that is not finite, beyond the learner's limit or below 0 where it must not be; a score that
 * is not finite; a label that is not a number or beyond 1e50, or no declared class; a weight that is not a number above 0 or beyond 1e12.
 */
export type Refusal = 'not-finite' | 'too-large' | 'negative' | 'unusable-label' | 'unknown-class' | 'unusable-weight';

/** What became of an update. */
export type LearnResult = 'learnt' | Refusal;

declare const LABEL: unique symbol;
declare const PREDICTION: unique symbol;

/** An online learner as inert data: its name, hyper-parameters and state cells. `open` makes it ready to predict and learn. */
export interface Learner<Y, P, S extends CellSpecs = CellSpecs> {
  readonly kind: string;
  /** All options that predictions or updates depend on. */
  readonly settings: Settings;
  readonly output: LearnerOutput;
  /** The classes that `scores` are of. */
  readonly classes?: readonly ClassLabel[];
  /**
   * The settings that say what the numbers in the cells mean. With `kind`, `classes` and the shape of the features they
   * are the identity of the state: another learner's is refused at restore. Other settings may change between runs.
   */
  readonly structure?: Settings;
  /**
   * Raised with every change of the code that makes `learnOne` leave other bits; 1 by default. Updates that were learnt with another
   * revision or other settings are not applied again by a restore, but refused.
   */
  readonly revision?: number;
  /** `native`: a dense feature may be NaN. Otherwise such a row is refused. */
  readonly missing?: 'refused' | 'native';
  /** Updates that it needs before its predictions say anything; 0 by default. */
  readonly warmUp?: number;
  /** The cells of its state for vectors of this shape. */
  cells(shape: FeatureShape): S;
  open(cells: OpenCells<S>, shape: FeatureShape): LearnerLogic<Y, P>;
  readonly [LABEL]?: ((label: Y) => void) | undefined;
  readonly [PREDICTION]?: (() => P) | undefined;
}

/** A row to learn from. */
export interface Update<Y> {
  readonly features: FeatureNumbers;
  readonly label: Y;
  /** 1 by default. */
  readonly weight?: number;
}

/**
 * An open learner: predicts from its cells, and changes them when it learns. Both follow from the cells and the arguments
 * alone, so the same updates give the same state, bit for bit. Chance is `chance(seed, member, update)`.
 */
export interface LearnerLogic<Y, P> {
  /** Never changes anything. Features that are not finite or too large still give a prediction. */
  predictOne(features: FeatureNumbers): P;
  /**
   * Learns from a row that counts `weight` times (1 by default), or says why not and changes nothing. The arrays are the
   * caller's, who may use them for the next row: a learner that keeps rows copies them.
   */
  learnOne(features: FeatureNumbers, label: Y, weight?: number): LearnResult;
  /** The numbers in its cells were replaced: forgets what was made of them. A learner that makes nothing of them has no such method. */
  refresh?(): void;
  /** A faster way for many rows, with the results of a loop over `predictOne`. */
  predictMany?(rows: readonly FeatureNumbers[], use: (prediction: P, row: number) => void): void;
  /** A faster way for many updates, with the results and the state of a loop over `learnOne`. */
  learnMany?(updates: readonly Update<Y>[], use?: (result: LearnResult, update: number) => void): void;
}

/**
 * The predictions of many rows, in order, by the learner's own way or by a loop.
 *
 * @example predictMany(model, rows, (probability, i) => { said[i] = probability; });
 */
export function predictMany<Y, P>(
  logic: LearnerLogic<Y, P>,
  rows: readonly FeatureNumbers[],
  use: (prediction: P, row: number) => void,
): void {
  if (logic.predictMany) logic.predictMany(rows, use);
  else for (let i = 0; i < rows.length; i++) use(logic.predictOne(rows[i] as FeatureNumbers), i);
}

/**
 * Learns from many updates, in order, by the learner's own way or by a loop.
 *
 * @example learnMany(model, updates, (result) => { if (result !== 'learnt') refused += 1; });
 */
export function learnMany<Y, P>(
  logic: LearnerLogic<Y, P>,
  updates: readonly Update<Y>[],
  use: (result: LearnResult, update: number) => void = () => {},
): void {
  if (logic.learnMany) logic.learnMany(updates, use);
  else
    for (let i = 0; i < updates.length; i++) {
      const { features, label, weight } = updates[i] as Update<Y>;
      use(logic.learnOne(features, label, weight), i);
    }
}

/**
 * What a transformer adds to a pipe: as inert data it is declared like a learner, and changes dense or hashed features
 * before the next part of the pipe sees them.
 */
export interface Transformer<S extends CellSpecs = CellSpecs> {
  readonly kind: string;
  readonly settings: Settings;
  /** See `Learner`. */
  readonly structure?: Settings;
  /** See `Learner`. */
  readonly revision?: number;
  /** The shape of what it gives; that of what it gets by default. */
  shapeOf?(shape: FeatureShape): FeatureShape;
  cells(shape: FeatureShape): S;
  open(cells: OpenCells<S>, shape: FeatureShape): TransformerLogic;
}

/** A transformer at work. It learns in two steps, so that a row which a later part refuses changes nothing. */
export interface TransformerLogic {
  /** The features by what was learnt so far. Never changes anything; valid until the next call. */
  transformOne(features: FeatureNumbers): FeatureNumbers;
  /** The features as if the row had been learnt, or why it cannot be. `commit` makes it so. */
  stageOne(features: FeatureNumbers, weight: number): FeatureNumbers | Refusal;
  /** Learns the row staged last. */
  commit(): void;
  /** See `LearnerLogic`. */
  refresh?(): void;
}
