import type { CellSpecs, OpenCells } from './state.js';

/**
 * The numbers a model sees: a dense part and a hashed part whose coordinates count on from the end of the dense one.
 * `values[i]` belongs to `indices[i]`; indices are below the view's `hashedSize`.
 */
export interface FeatureVector {
  /** Name and hash of the view that made it. */
  readonly view: string;
  readonly hash: string;
  readonly dense: Float32Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** How large vectors of a view are: what a learner allocates by. */
export interface FeatureShape {
  readonly denseSize: number;
  readonly hashedSize: number;
  /**
   * Says which coordinate means what: state that was learnt in another layout is refused at restore instead of misread.
   * Learners give it to their cells as the version.
   */
  readonly layout?: number;
}

declare const LABEL: unique symbol;
declare const PREDICTION: unique symbol;

/** An online learner as inert data: its name, hyper-parameters and state cells; `open` gives it numbers to work on. */
export interface Learner<Y, P, S extends CellSpecs = CellSpecs> {
  readonly kind: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** The cells of its state for vectors of this shape. */
  cells(shape: FeatureShape): S;
  open(cells: OpenCells<S>, shape: FeatureShape): LearnerLogic<Y, P>;
  readonly [LABEL]?: ((label: Y) => void) | undefined;
  readonly [PREDICTION]?: (() => P) | undefined;
}

/** A learner at work: predicts from its cells, and changes them as it learns. */
export interface LearnerLogic<Y, P> {
  /** Never changes anything. */
  predictOne(features: FeatureVector): P;
  /**
   * Whether the update was taken: one with a number no model can use (not finite, absurdly large) changes nothing. The
   * arrays are the caller's, who may use them for the next row: a learner that keeps rows copies them.
   */
  learnOne(features: FeatureVector, label: Y): boolean;
}
