import type { CellSpecs, OpenCells } from './state.js';

/**
 * The input of a model: a dense part and a hashed part, whose coordinates follow those of the dense part. `values[i]` belongs to
 * `indices[i]`; indices are below the view's `hashedSize`.
 */
export interface FeatureVector {
  /** Name and hash of the view that computed it. */
  readonly view: string;
  readonly hash: string;
  readonly dense: Float32Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** The size of a view's vectors, which a learner allocates by. */
export interface FeatureShape {
  readonly denseSize: number;
  readonly hashedSize: number;
  /**
   * Identifies the meaning of the coordinates. State learnt with another layout is refused at restore instead of misread. Learners
   * use it as the version of their cells.
   */
  readonly layout?: number;
}

declare const LABEL: unique symbol;
declare const PREDICTION: unique symbol;

/** An online learner as inert data: its name, hyper-parameters and state cells. `open` makes it ready to predict and learn. */
export interface Learner<Y, P, S extends CellSpecs = CellSpecs> {
  readonly kind: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** The cells of its state for vectors of this shape. */
  cells(shape: FeatureShape): S;
  open(cells: OpenCells<S>, shape: FeatureShape): LearnerLogic<Y, P>;
  readonly [LABEL]?: ((label: Y) => void) | undefined;
  readonly [PREDICTION]?: (() => P) | undefined;
}

/** An open learner: predicts from its cells, and changes them when it learns. */
export interface LearnerLogic<Y, P> {
  /** Must not change state. */
  predictOne(features: FeatureVector): P;
  /**
   * Returns whether the update was applied. An update with a number that no model can use (not finite, absurdly large) changes
   * nothing. The caller may reuse the arrays for the next row, so a learner that keeps rows copies them.
   */
  learnOne(features: FeatureVector, label: Y): boolean;
}
