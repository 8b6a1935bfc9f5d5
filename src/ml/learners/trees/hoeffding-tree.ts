import { MillraceError } from '../../../core/errors.js';
import type { ClassLabel, ClassScores, Learner } from '../../../core/learner.js';
import { requirePositive } from '../../check-options.js';
import { placesOf, requireClasses } from '../classes.js';
import { rowLimits } from '../rows.js';
import { Forest, type ForestCells, type ForestPlan, forestCells, type TreeRules } from './forest.js';

/** When a leaf splits, how it predicts, and how large the tree may become. */
export interface TreeOptions {
  /** Weight of rows that a leaf takes in between two tries to split it; 200 by default. */
  readonly gracePeriod?: number;
  /** Probability that a split is not on the best feature; 1e-7 by default. */
  readonly delta?: number;
  /** Bits of information: features that differ by less, for certain, are as good as each other; 0.05 by default. */
  readonly tieThreshold?: number;
  /**
   * What a leaf predicts: the shares of its classes, naive Bayes over its features, or whichever of them was right more often
   * (`adaptive`, the default).
   */
  readonly leafPrediction?: 'majority' | 'naive-bayes' | 'adaptive';
  /** Most nodes of a tree; 1,000 by default. A tree of that size splits no more. */
  readonly nodesMax?: number;
  /** Most leaves with statistics; a quarter of `nodesMax` by default. Beyond it the least promising leaf is closed. */
  readonly openLeavesMax?: number;
}

/** The classes of a tree, and how it grows. */
export interface HoeffdingTreeOptions<C extends ClassLabel> extends TreeOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

/** Larger numbers are refused in updates: their squares must be finite. A tree needs no scaled features. */
export const TREE_FEATURE_MAX = 1e50;

/** The options with their defaults, checked. */
export function treeRules(where: string, options: TreeOptions, defaults: Partial<TreeRules> = {}): TreeRules {
  const { gracePeriod = 200, delta = 1e-7, tieThreshold = 0.05, nodesMax = 1_000 } = { ...defaults, ...options };
  const { leafPrediction = 'adaptive', openLeavesMax = Math.ceil(nodesMax / 4) } = options;
  requirePositive(where, { gracePeriod, delta, tieThreshold, nodesMax, openLeavesMax });
  if (delta >= 1 || ![nodesMax, openLeavesMax].every(Number.isInteger))
    throw new MillraceError(
      'config',
      `${where}: delta, nodesMax and openLeavesMax are ${delta}, ${nodesMax} and ${openLeavesMax}`,
      { where, hint: 'give a delta below 1, and whole numbers of nodes and leaves' },
    );
  return Object.freeze({ gracePeriod, delta, tieThreshold, leafPrediction, nodesMax, openLeavesMax });
}

/**
 * A Hoeffding tree (VFDT): a decision tree for classes that grows from a stream. A leaf becomes a split as soon as the Hoeffding
 * bound says that its best feature is, with probability `1 - delta`, also the best for all rows to come; or as good as the next one.
 * Numbers are observed as one Gaussian a class, and split at a threshold; categories (`oneHot`, `bucket`) are counted, and split one
 * value from the others. Features need no scaling.
 *
 * Guarantees: a row is learnt in time proportional to the features and the depth; rows are not kept. The tree does not forget: for
 * concepts that change take `adaptiveRandomForest`. A row of weight 2 is observed as two rows.
 * Memory: at most `nodesMax` nodes of 9 + k numbers and `openLeavesMax` leaves of 2 + k + f + 4 k d numbers, of 8 bytes, with k
 * classes, f features and d dense coordinates. At `openLeavesMax` the leaf with the least weight outside of its majority class is
 * closed: it predicts the shares of its classes from then on. At `nodesMax` no leaf splits.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Domingos and Hulten, "Mining High-Speed Data Streams", KDD 2000; leaves as in Gama et al., KDD 2003, and Holmes et al., 2005;
 * observers and defaults as in MOA and River.
 *
 * @example learn(hoeffdingTree({ classes: ['walk', 'run', 'rest'], gracePeriod: 100 }), { as: 'activity', ... });
 */
export function hoeffdingTree<const C extends ClassLabel>(
  options: HoeffdingTreeOptions<C>,
): Learner<C, ClassScores, ForestCells> {
  const { classes } = options;
  requireClasses('hoeffdingTree', classes);
  const rules = treeRules('hoeffdingTree', options);
  const plan: ForestPlan = { ...rules, slots: 1, classes: classes.length, seed: 0 };
  return Object.freeze<Learner<C, ClassScores, ForestCells>>({
    kind: 'hoeffding-tree',
    settings: Object.freeze({ classes: classes.join(', '), ...rules }),
    output: 'scores',
    classes,
    cells: (shape) => forestCells('hoeffdingTree', shape, plan),
    open(cells, shape) {
      const tree = new Forest(cells, shape, plan);
      const limits = rowLimits(shape.denseSize, TREE_FEATURE_MAX);
      const places = placesOf(classes);
      const scores = new Float64Array(classes.length);
      return {
        predictOne(features) {
          tree.predict(0, limits.usable(features), scores);
          return scores;
        },
        learnOne(features, label, weight = 1) {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          const place = places.get(label);
          if (place === undefined) return 'unknown-class';
          tree.learn(0, features, place, weight);
          return 'learnt';
        },
      };
    },
  });
}
