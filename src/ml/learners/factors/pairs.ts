import { MillraceError } from '../../../core/errors.js';
import type { FeatureArray, FeatureNumbers, FeatureShape } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import type { OpenCells } from '../../../core/state.js';
import { chance } from '../../chance.js';
import { requireNotNegative, requirePositive } from '../../check-options.js';
import { newMoves, type Optimizer } from '../../optimizers/optimizer.js';
import {
  type LinearCells,
  type LinearModel,
  type LinearOptions,
  linearCells,
  openLinear,
  strideOf,
} from '../linear/linear-model.js';
import { BLOCK, modelNumbers } from '../model-numbers.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';

/** The factors of each coordinate: how many there are, where they begin, and how they move. */
export interface FactorOptions {
  /** Factors of a coordinate; 10 by default. */
  readonly factors?: number;
  /** How factors move; as the weights by default. It cannot be `ftrl`, whose weights begin at 0. */
  readonly factorOptimizer?: Optimizer;
  /** Factors begin by chance between `-spread` and `spread`; 0.1 by default. */
  readonly spread?: number;
  /** Another seed begins elsewhere; 1 by default. */
  readonly seed?: number;
}

type Options = LinearOptions & FactorOptions;

const FACTORS = 10;

/** Numbers of a coordinate: whether its factors have moved, then the factors. */
const widthOf = ({ factors = FACTORS, factorOptimizer, optimizer }: Options): number =>
  1 + factors * strideOf(factorOptimizer ?? optimizer);

/** The cells of a linear model, and the factors of its coordinates. */
export const pairCells = (options: Options, shape: FeatureShape) => ({
  ...linearCells(options.optimizer, shape),
  factors: modelNumbers((shape.denseSize + shape.hashedSize) * widthOf(options)),
});

export type PairCells = ReturnType<typeof pairCells>;

/** The options as `describe` shows them. */
export function pairSettings(where: string, options: Options): Settings {
  const { factors = FACTORS, factorOptimizer = options.optimizer, spread = 0.1, seed = 1 } = options;
  requirePositive(where, { factors });
  requireNotNegative(where, { spread });
  const probe = Float64Array.of(1, ...new Array<number>(factorOptimizer.width).fill(0));
  if (!Number.isInteger(factors) || factorOptimizer.weights.weight(probe, 0) !== 1)
    throw new MillraceError(
      'config',
      `${where}: factors is ${factors}, and factorOptimizer is ${factorOptimizer.name}`,
      {
        where: `${where}.factorOptimizer`,
        hint: 'give a whole number, and an optimizer whose weights can start at any value, such as sgd or adaGrad',
      },
    );
  const moves = Object.entries({ optimizer: factorOptimizer.name, ...factorOptimizer.settings });
  return Object.freeze({
    factors,
    ...Object.fromEntries(moves.map(([name, value]) => [`factors.${name}`, value])),
    spread,
    seed,
  });
}

/** What the numbers of the factors mean. */
export const pairStructure = ({ factors = FACTORS, factorOptimizer, optimizer }: Options): Settings => ({
  factors,
  factorOptimizer: (factorOptimizer ?? optimizer).name,
});

/** By the sums of a row: the products of all its pairs. */
function productsOf(sums: Float64Array): number {
  const factors = sums.length - 1;
  let twice = -(sums[factors] as number);
  for (let f = 0; f < factors; f++) twice += (sums[f] as number) ** 2;
  return twice / 2;
}

/** Adds the factors of a coordinate to the sums of a row that has the number at `index` there. */
function addUp(sums: Float64Array, of: Float64Array, numbers: FeatureArray, index: number): void {
  const x = numbers[index] as number;
  let squares = 0;
  for (let f = 0; f < of.length; f++) {
    const v = x * (of[f] as number);
    sums[f] = (sums[f] as number) + v;
    squares += v * v;
  }
  sums[of.length] = (sums[of.length] as number) + squares;
}

/**
 * Opens a linear model whose score has one term more for each pair of coordinates of a row: the product of their values and of
 * their factors. Its cost grows with the coordinates of a row, not with their pairs.
 *
 * The step of a factor is proportional to other factors, so those that one row made large would grow with every row after it. Where a
 * step moves the score of its own row farther than the loss allows, the factors of that row begin anew.
 */
export function openPairs(cells: OpenCells<PairCells>, shape: FeatureShape, options: Options): LinearModel {
  const { factors = FACTORS, factorOptimizer = options.optimizer, spread = 0.1, seed = 1 } = options;
  const { slopeMax = 1e12, featureMax = FEATURE_MAX } = options;
  const { denseSize } = shape;
  const linear = openLinear(cells as OpenCells<LinearCells>, shape, options);
  const { slope } = linear;
  const limits = rowLimits(denseSize, featureMax);
  const rule = factorOptimizer.weights;
  const stride = strideOf(factorOptimizer);
  const width = widthOf(options);
  const { values: state } = cells.factors;
  /** Of the row that was scored last, by factor: the sum over its coordinates of value times factor. Then the sum of the squares. */
  const sums = new Float64Array(factors + 1);
  /** The same by the factors that the row has left. */
  const sumsAfter = new Float64Array(factors + 1);

  const initial = (coordinate: number, factor: number): number => spread * (2 * chance(seed, factor, coordinate) - 1);
  const moves = newMoves(state, stride, new Float64Array(factors));
  // An index is passed on instead of the number there: a number with a fraction would be an object on the heap.
  const take = (coordinate: number, numbers: FeatureArray, index: number): void => {
    const at = coordinate * width;
    const hasMoved = state[at] === 1;
    for (let f = 0, from = at + 1; f < factors; f++, from += stride)
      moves.weights[f] = hasMoved ? rule.weight(state, from) : initial(coordinate, f);
    addUp(sums, moves.weights, numbers, index);
  };
  const scoreOf = (features: FeatureNumbers): number => {
    const { dense, indices, values } = features;
    sums.fill(0);
    for (let i = 0; i < denseSize; i++) take(i, dense, i);
    for (let i = 0; i < indices.length; i++) take(denseSize + (indices[i] as number), values, i);
    return linear.scoreOf(features) + productsOf(sums);
  };
  const descend = (coordinate: number, numbers: FeatureArray, index: number): void => {
    const at = coordinate * width;
    const isFirst = state[at] === 0;
    const x = numbers[index] as number;
    const g = (slope[0] as number) * x;
    state[at] = 1;
    moves.from = at + 1;
    for (let f = 0; f < factors; f++) {
      const v = isFirst ? initial(coordinate, f) : rule.weight(state, moves.from + f * stride);
      moves.inputs[f] = g * ((sums[f] as number) - v * x);
      moves.weights[f] = v;
    }
    rule.update(moves);
    addUp(sumsAfter, moves.weights, numbers, index);
    for (let touched = at; touched < at + width; touched += BLOCK) cells.factors.touch(touched);
    cells.factors.touch(at + width - 1);
  };
  const forget = (coordinate: number): void => {
    state.fill(0, coordinate * width, (coordinate + 1) * width); // descend has touched them
  };

  return {
    slope,
    score: (features) => scoreOf(limits.usable(features)),
    refusalOf: limits.refusalOf,
    scoreOf,
    refresh: linear.refresh,
    descend(features) {
      slope[0] = Math.max(-slopeMax, Math.min(slopeMax, slope[0] as number));
      linear.descend(features);
      const { dense, indices, values } = features;
      moves.step = cells.updates.values[0] as number;
      sumsAfter.fill(0);
      for (let i = 0; i < denseSize; i++) descend(i, dense, i);
      for (let i = 0; i < indices.length; i++) descend(denseSize + (indices[i] as number), values, i);
      if (Math.abs(productsOf(sumsAfter) - productsOf(sums)) <= (slope[1] as number)) return;
      for (let i = 0; i < denseSize; i++) forget(i);
      for (let i = 0; i < indices.length; i++) forget(denseSize + (indices[i] as number));
    },
  };
}
