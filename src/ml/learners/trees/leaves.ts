import type { FeatureNumbers, FeatureShape } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import type { ArenaCell } from '../../../state/index.js';
import type { LeafFeatures } from './leaf-features.js';
import type { Split } from './split.js';

/** The arenas of trees. A node begins with its links, the statistics of an open leaf with the features that it observes. */
export interface TreeArenas {
  readonly nodes: ArenaCell;
  readonly leaves: ArenaCell;
}

/** What the leaves of trees learn, predict and split by. A label is the index of a class, or a number. */
export interface Leaves {
  /** Writes what the leaf at a node predicts of a row. */
  predict(node: number, row: FeatureNumbers, into: Float64Array): void;
  /** Takes in a row, also into the statistics where the leaf is open; what only a split asks for where it `maySplit`. */
  learn(node: number, row: FeatureNumbers, label: number, weight: number, maySplit: boolean): void;
  /** Sets to 0 what an open leaf that splits no more will not be asked for. */
  settle?(node: number): void;
  /** The weight of the rows that a leaf has seen, with those that it took over from its parent. */
  weightOf(node: number): number;
  /** How much a leaf could gain from a split, at most. */
  promiseOf(node: number): number;
  /** Looks for the best split of an open leaf, and says whether it is surely good enough. */
  findSplit(node: number): boolean;
  /** The split that was found last. */
  readonly best: Readonly<Split>;
  /** Gives the rows of a leaf to two new ones, as the split that was found last divides them. */
  divide(node: number, left: number, right: number): void;
}

/** A kind of leaves, as inert data: what they predict, the numbers that they keep, and how they are opened. */
export interface LeafKind {
  /** Numbers of a prediction, and what each of them is before the first row. */
  readonly outputs: number;
  readonly unknown: number;
  /** The settings that say what its numbers mean. */
  readonly structure: Settings;
  /** Numbers of a node, and of the statistics of an open leaf, besides those that all trees have. */
  widths(shape: FeatureShape, features: LeafFeatures): { readonly node: number; readonly statistics: number };
  open(arenas: TreeArenas, shape: FeatureShape, features: LeafFeatures): Leaves;
}

/** A node. Links are where a record begins, plus 1, and 0 for none; a node without children is a leaf, one without statistics closed. */
export const LEFT = 0;
export const RIGHT = 1;
export const COORDINATE = 2;
export const THRESHOLD = 3;
export const STATISTICS = 4;
/** The slot of its tree. */
export const SLOT = 5;
/** The weight of the leaf when a split was last tried. */
export const TRIED_AT = 6;
/** Then the numbers of its kind. */
export const OWN = 7;

/** The index of the greatest number, the first of several. */
export function argmax(numbers: Float64Array): number {
  let greatest = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) > (numbers[greatest] as number)) greatest = i;
  return greatest;
}
