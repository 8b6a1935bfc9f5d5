import type { ClassLabel, ClassScores, Learner } from '../../../core/learner.js';
import { requireClasses } from '../classes.js';
import { classLabels, denseLearner } from '../dense-learner.js';
import { classLeaves } from './class-leaves.js';
import { Forest, type ForestCells, type ForestPlan, forestCells, oneTree } from './forest.js';
import { classTreeRules, type TreeOptions } from './tree-rules.js';

/** The classes of a tree, and how it grows. */
export interface HoeffdingTreeOptions<C extends ClassLabel> extends TreeOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

/**
 * A Hoeffding tree (VFDT): a decision tree for classes that grows from a stream. A leaf becomes a split as soon as the Hoeffding
 * bound says that its best feature is, with probability `1 - delta`, also the best for all rows to come; or as good as the next one.
 * Numbers are observed as one Gaussian a class, and split at a threshold; categories (`oneHot`, `bucket`) are counted, and split one
 * value from the others. Features need no scaling.
 *
 * Guarantees: a row is learnt in time proportional to the features and the depth; rows are not kept. The tree does not forget: for
 * concepts that change take `adaptiveRandomForest`. A row of weight 2 is observed as two rows.
 * Memory: at most `nodesMax` nodes of 12 + k numbers and `openLeavesMax` leaves of 1 + k + f + 4 k d numbers, of 8 bytes, with k
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
  const rules = classTreeRules('hoeffdingTree', options);
  const plan: ForestPlan = { ...rules, leaves: classLeaves(classes.length, rules), slots: 1, seed: 0 };
  return denseLearner(
    'hoeffding-tree',
    {
      labels: classLabels(classes),
      settings: { ...rules },
      cells: (shape) => forestCells('hoeffdingTree', shape, plan),
    },
    (cells, shape) => oneTree(new Forest(cells, shape, plan)),
  );
}
