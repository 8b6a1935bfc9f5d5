/**
 * How one coordinate of a linear model moves. Both functions are pure in the numbers that lie at `state[at...]`. `step` is the
 * number of the model's update, from 1.
 */
export interface UpdateRule {
  /** The weight that these numbers stand for. */
  weight(state: Float64Array, at: number): number;
  /** Takes in one gradient, given the weight it was computed with, and returns the new weight. */
  update(state: Float64Array, at: number, gradient: number, weight: number, step: number): number;
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
