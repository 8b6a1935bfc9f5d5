import type { FeatureArray } from '../../core/learner.js';

/**
 * How some coordinates of a model are to move. They are in arrays because a rule that loops over them needs no call for each of them,
 * and numbers that are arguments or results of a call become objects on the heap wherever it is not inlined.
 */
export interface Moves {
  /** The numbers of coordinate `c` lie at `state[from + c * stride...]`. */
  readonly state: Float64Array;
  from: number;
  readonly stride: number;
  /** By coordinate: the weight that the gradient was computed with. It is replaced by the new one. */
  readonly weights: Float64Array;
  /** The first `count` are the coordinates that move, in this order. */
  coordinates: Uint32Array;
  /** The gradient of each is `slope` times its input, such as the slope of a loss by the score, and a feature. */
  inputs: FeatureArray;
  slope: number;
  count: number;
  /** The number of the model's update, from 1. */
  step: number;
}

/** Moves of the first coordinates: by default of all that have weights. Their inputs are gradients, unless a slope is given. */
export const newMoves = (
  state: Float64Array,
  stride: number,
  weights: Float64Array,
  { from = 0, count = weights.length, inputs = new Float64Array(count) as FeatureArray } = {},
): Moves => ({
  state,
  from,
  stride,
  weights,
  coordinates: Uint32Array.from({ length: count }, (_, i) => i),
  inputs,
  slope: 1,
  count,
  step: 0,
});

/** How coordinates of a linear model move. Both functions are pure in the numbers of a coordinate. */
export interface UpdateRule {
  /** The weight that the numbers at `state[at...]` stand for. */
  weight(state: Float64Array, at: number): number;
  /** Takes in the gradients, and replaces the weights by the new ones. */
  update(moves: Moves): void;
}

/** An optimizer as inert data: how many numbers it keeps a coordinate, and its rules. */
export interface Optimizer {
  readonly name: string;
  readonly settings: Readonly<Record<string, number | string>>;
  /** Numbers kept a coordinate. They lie side by side in one block of state. */
  readonly width: number;
  readonly weights: UpdateRule;
  /** The intercept's own rule: it is never regularised. */
  readonly intercept: UpdateRule;
}
