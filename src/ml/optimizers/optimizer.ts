/**
 * A gradient, and behind it the weight that it was computed with. They are in an array because numbers that are arguments or results
 * become objects on the heap wherever the call is not inlined: three for each coordinate of each row.
 */
export type Move = Float64Array;

/** Place of the gradient in a move. */
export const GRADIENT = 0;
/** Place of the weight in a move. */
export const WEIGHT = 1;

export const newMove = (): Move => new Float64Array(2);

/**
 * How one coordinate of a linear model moves. Both functions are pure in the numbers that lie at `state[at...]`. `step` is the
 * number of the model's update, from 1.
 */
export interface UpdateRule {
  /** The weight that these numbers stand for. */
  weight(state: Float64Array, at: number): number;
  /** Takes in the gradient of `move`, and replaces its weight by the new one. */
  update(state: Float64Array, at: number, move: Move, step: number): void;
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
