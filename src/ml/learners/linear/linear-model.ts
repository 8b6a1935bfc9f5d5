import type { FeatureNumbers, FeatureShape, Refusal } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import type { OpenCells } from '../../../core/state.js';
import { float64Cell } from '../../../state/index.js';
import { requireNotNegative, requirePositive } from '../../check-options.js';
import { areShared } from '../../features/ones.js';
import { newMoves, type Optimizer, type UpdateRule } from '../../optimizers/optimizer.js';
import { BLOCK, modelNumbers } from '../model-numbers.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';

/** How the weights of a linear model are found. */
export interface LinearOptions {
  readonly optimizer: Optimizer;
  /** Constant rate of plain descent for the intercept; by default it moves by the optimizer's own rule. */
  readonly interceptRate?: number;
  /** Largest slope of the loss that an update takes, after the weight; 1e12 by default. */
  readonly slopeMax?: number;
  /** Largest size of a feature: predictions clamp what is beyond, updates with it are refused; 1e6 by default. */
  readonly featureMax?: number;
}

/** Numbers from one coordinate to the next: a power of two, so that none lies in two blocks. */
export const strideOf = ({ width }: Optimizer): number => 2 ** Math.ceil(Math.log2(width));

const coordinatesOf = ({ denseSize, hashedSize }: FeatureShape): number => 1 + denseSize + hashedSize;

/** The cells of a model with so many outputs: numbers by coordinate (the intercept first) and output, and a count of updates. */
export const linearCells = (optimizer: Optimizer, shape: FeatureShape, outputs = 1) => ({
  weights: modelNumbers(coordinatesOf(shape) * outputs * strideOf(optimizer)),
  updates: float64Cell({ size: 1, block: 1 }),
});

export type LinearCells = ReturnType<typeof linearCells>;

/** The options as `describe` shows them. */
export function linearSettings(where: string, options: LinearOptions): Settings {
  const { optimizer, interceptRate, slopeMax = 1e12, featureMax = FEATURE_MAX } = options;
  requirePositive(where, { slopeMax, featureMax });
  if (interceptRate !== undefined) requireNotNegative(where, { interceptRate });
  return Object.freeze({
    optimizer: optimizer.name,
    ...optimizer.settings,
    ...(interceptRate === undefined ? {} : { interceptRate }),
    ...(options.slopeMax === undefined ? {} : { slopeMax }),
    featureMax,
  });
}

/** What the numbers of the state mean: those of the optimizer, and of the intercept's own rule. */
export const linearStructure = ({ optimizer, interceptRate }: LinearOptions): Settings =>
  Object.freeze({ optimizer: optimizer.name, intercept: interceptRate === undefined ? optimizer.name : 'descent' });

/** Plain descent: the rule of an intercept with a rate of its own. */
const descent = (rate: number): UpdateRule => ({
  weight: (state, at) => state[at] as number,
  update({ state, from, stride, weights, coordinates, inputs, slope, count }) {
    for (let i = 0; i < count; i++) {
      const coordinate = coordinates[i] as number;
      const moved = (weights[coordinate] as number) - rate * (slope * (inputs[i] as number));
      state[from + coordinate * stride] = moved;
      weights[coordinate] = moved;
    }
  },
});

export const interceptRule = ({ optimizer, interceptRate }: LinearOptions): UpdateRule =>
  interceptRate === undefined ? optimizer.intercept : descent(interceptRate);

/** A model with one score, such as a linear one: what its loss does not decide. */
export interface LinearModel {
  /** The score of a row, such as weights times features, plus the intercept. Features that are no use are clamped. */
  score(features: FeatureNumbers): number;
  refusalOf(features: FeatureNumbers, weight: number): Refusal | undefined;
  /** The score of a row; NaN where a feature is no use. One loop checks and adds up. */
  scoreOf(features: FeatureNumbers): number;
  /**
   * For `descend`: the slope of the loss by the score, and how far the row's own products of pairs may move it. As arguments they
   * would be objects on the heap.
   */
  readonly slope: Float64Array;
  /** Moves the weights against the slope; of a row whose score was asked for last. */
  descend(features: FeatureNumbers): void;
  /** See `LearnerLogic`. */
  refresh(): void;
}

/** Opens a linear model on its cells. */
export function openLinear(
  { weights, updates }: OpenCells<LinearCells>,
  { denseSize, hashedSize }: FeatureShape,
  options: LinearOptions,
): LinearModel {
  const { optimizer, slopeMax = 1e12, featureMax = FEATURE_MAX } = options;
  const rule = optimizer.weights;
  const intercept = interceptRule(options);
  const stride = strideOf(optimizer);
  const state = weights.values;
  const firstHashed = 1 + denseSize;
  const limits = rowLimits(denseSize, featureMax);
  const areOnesUsable = featureMax >= 1;

  // Weights are a pure function of the state; computing them once a change instead of once a prediction saves a square
  // root and a division a coordinate. They are computed at the first use, when the state has surely been restored.
  const cached = new Float64Array(firstHashed + hashedSize);
  let isStale = true;
  const weightsNow = (): Float64Array => {
    if (!isStale) return cached;
    isStale = false;
    cached[0] = intercept.weight(state, 0);
    for (let i = 1; i < cached.length; i++) cached[i] = rule.weight(state, i * stride);
    return cached;
  };

  const scoreOf = ({ dense, indices, values }: FeatureNumbers): number => {
    const w = weightsNow();
    let sum = w[0] as number;
    for (let i = 0; i < denseSize; i++) {
      const x = dense[i] as number;
      if (!(Math.abs(x) <= featureMax)) return Number.NaN;
      sum += (w[1 + i] as number) * x;
    }
    if (areOnesUsable && areShared(values, indices.length)) {
      for (let i = 0; i < indices.length; i++) sum += w[firstHashed + (indices[i] as number)] as number;
      return sum;
    }
    for (let i = 0; i < indices.length; i++) {
      const x = values[i] as number;
      if (!(Math.abs(x) <= featureMax)) return Number.NaN;
      sum += (w[firstHashed + (indices[i] as number)] as number) * x;
    }
    return sum;
  };

  const slope = new Float64Array(2);
  const one = newMoves(state, stride, cached, { count: 1, inputs: Float32Array.of(1) });
  const atDense = newMoves(state, stride, cached.subarray(1), { from: stride, count: denseSize });
  const atHashed = newMoves(state, stride, cached.subarray(firstHashed), { from: firstHashed * stride, count: 0 });

  return {
    slope,
    score(features) {
      const score = scoreOf(features);
      return Number.isNaN(score) ? scoreOf(limits.usable(features)) : score;
    },
    refusalOf: limits.refusalOf,
    scoreOf,
    refresh() {
      isStale = true; // the array is used again: models by key refresh at every row
    },
    descend({ dense, indices, values }) {
      const g = Math.max(-slopeMax, Math.min(slopeMax, slope[0] as number));
      weightsNow();
      const step = (updates.values[0] as number) + 1;
      updates.values[0] = step;
      updates.touch(0);
      for (let at = 0; at < firstHashed * stride; at += BLOCK) weights.touch(at);
      for (let i = 0; i < indices.length; i++) weights.touch((firstHashed + (indices[i] as number)) * stride);
      atDense.inputs = dense;
      atDense.slope = g;
      atDense.step = step;
      rule.update(atDense);
      atHashed.coordinates = indices;
      atHashed.inputs = values;
      atHashed.slope = g;
      atHashed.count = indices.length;
      atHashed.step = step;
      rule.update(atHashed);
      // Last: the next row waits for this weight first of all, and not for the ones above.
      one.slope = g;
      one.step = step;
      intercept.update(one);
    },
  };
}
