import { MillraceError } from '../../../core/errors.js';
import { requirePositive } from '../../check-options.js';
import type { GrowthRules } from './forest.js';
import type { SplitRules } from './split.js';

/** When a leaf splits, and how large the tree may become. */
export interface TreeGrowthOptions {
  /** Weight of rows that a leaf takes in between two tries to split it; 200 by default. */
  readonly gracePeriod?: number;
  /** Probability that a split is not on the best feature; 1e-7 by default. */
  readonly delta?: number;
  /**
   * Features whose gains differ by less, for certain, are as good as each other; 0.05 by default. In bits of information for classes,
   * as a share of the better gain for numbers.
   */
  readonly tieThreshold?: number;
  /** Most nodes of a tree; 1,000 by default. A tree of that size splits no more. */
  readonly nodesMax?: number;
  /** Most leaves with statistics; a quarter of `nodesMax` by default. Beyond it the least promising leaf is closed. */
  readonly openLeavesMax?: number;
}

/** How a tree for classes grows, and how its leaves predict. */
export interface TreeOptions extends TreeGrowthOptions {
  /**
   * What a leaf predicts: the shares of its classes, naive Bayes over its features, or whichever of them was right more often
   * (`adaptive`, the default).
   */
  readonly leafPrediction?: 'majority' | 'naive-bayes' | 'adaptive';
}

/** How a tree for numbers grows, what its leaves observe, and how they predict. */
export interface TreeRegressionOptions extends TreeGrowthOptions {
  /**
   * What a leaf predicts: the mean of its labels, a linear model, or whichever of them had the smaller squared error lately
   * (`adaptive`, the default).
   */
  readonly leafPrediction?: 'mean' | 'linear' | 'adaptive';
  /** Values, or ranges of values, of a numeric feature that a leaf tells apart; 16 by default. */
  readonly binsMax?: number;
  /** Rate of the linear models; 0.01 by default. */
  readonly linearRate?: number;
  /** How much of the squared errors is left at the next row, where `adaptive` compares them; 0.95 by default. */
  readonly errorDecay?: number;
}

type TreeRules = GrowthRules & SplitRules;

/** The options with their defaults, checked. */
export function treeRules(
  where: string,
  options: TreeGrowthOptions,
  defaults: Partial<TreeRules> = {},
): Readonly<Record<keyof TreeRules, number>> {
  const usual = { gracePeriod: 200, delta: 1e-7, tieThreshold: 0.05, nodesMax: 1_000, ...defaults };
  const { gracePeriod = usual.gracePeriod, delta = usual.delta, tieThreshold = usual.tieThreshold } = options;
  const { nodesMax = usual.nodesMax, openLeavesMax = Math.ceil(nodesMax / 4) } = options;
  requirePositive(where, { gracePeriod, delta, tieThreshold, nodesMax, openLeavesMax });
  if (delta >= 1 || ![nodesMax, openLeavesMax].every(Number.isInteger))
    throw new MillraceError(
      'config',
      `${where}: delta, nodesMax and openLeavesMax are ${delta}, ${nodesMax} and ${openLeavesMax}`,
      { where, hint: 'give a delta below 1, and whole numbers of nodes and leaves' },
    );
  return { gracePeriod, delta, tieThreshold, nodesMax, openLeavesMax };
}

/** The options of trees for classes with their defaults, checked. */
export const classTreeRules = (where: string, options: TreeOptions, defaults?: Partial<TreeRules>) => ({
  ...treeRules(where, options, defaults),
  leafPrediction: options.leafPrediction ?? ('adaptive' as const),
});

/** The options of trees for numbers with their defaults, checked. */
export function numberTreeRules(where: string, options: TreeRegressionOptions, defaults?: Partial<TreeRules>) {
  const { leafPrediction = 'adaptive', binsMax = 16, linearRate = 0.01, errorDecay = 0.95 } = options;
  requirePositive(where, { binsMax, linearRate, errorDecay });
  if (!Number.isInteger(binsMax) || binsMax < 2 || errorDecay > 1)
    throw new MillraceError('config', `${where}: binsMax and errorDecay are ${binsMax} and ${errorDecay}`, {
      where,
      hint: 'give a whole number of two bins or more, and an errorDecay of 1 at most',
    });
  return { ...treeRules(where, options, defaults), leafPrediction, binsMax, linearRate, errorDecay };
}
