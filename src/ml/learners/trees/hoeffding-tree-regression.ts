import type { Learner } from '../../../core/learner.js';
import { denseLearner, numberLabels } from '../dense-learner.js';
import { Forest, type ForestCells, type ForestPlan, forestCells, oneTree } from './forest.js';
import { numberLeaves } from './number-leaves.js';
import { numberTreeRules, type TreeRegressionOptions } from './tree-rules.js';

/**
 * A Hoeffding tree for numbers: a regression or model tree that grows from a stream. A leaf becomes a split as soon as the Hoeffding
 * bound says that its best feature takes away more of the labels' variance, with probability `1 - delta`, than the next one; or as
 * much. Numbers are split at a threshold, categories (`oneHot`, `bucket`) one value from the others.
 *
 * A leaf predicts the mean of its labels, or by a linear model that it goes on from its parent's. The linear models need scaled
 * features: put a `standardScaler` before. Without one, `adaptive` leaves fall back to the mean.
 *
 * Guarantees: a row is learnt in time proportional to the features, the depth and `binsMax`; rows are not kept. The tree does not
 * forget: for labels whose causes change take `adaptiveRandomForestRegression`. A label beyond 1e50 is refused as `unusable-label`.
 * Memory: at most `nodesMax` nodes of 16 + d numbers and `openLeavesMax` leaves of 4 + f (2 + 4 `binsMax`) numbers, of 8 bytes, with f
 * features and d dense coordinates; a category of v values has 1 + 3 v in a leaf. At `openLeavesMax` the leaf whose labels vary least
 * in sum is closed: it goes on learning and predicting, but splits no more. At `nodesMax` no leaf splits.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Ikonomovska, Gama and Džeroski, "Learning model trees from evolving data streams", DMKD 23 (2011); leaves and defaults as in
 * River, whose leaves also judge a split by rows that they did not observe, and whose adaptive leaves prefer the linear model to the
 * mean at equal errors.
 *
 * @example learn(pipe(standardScaler(), hoeffdingTreeRegression({ gracePeriod: 100 })), { as: 'delay', ... });
 */
export function hoeffdingTreeRegression(options: TreeRegressionOptions = {}): Learner<number, number, ForestCells> {
  const rules = numberTreeRules('hoeffdingTreeRegression', options);
  const leaves = numberLeaves(rules);
  const plan: ForestPlan = { ...rules, leaves, slots: 1, seed: 0 };
  return denseLearner(
    'hoeffding-tree-regression',
    {
      labels: numberLabels,
      settings: { ...rules },
      structure: leaves.structure,
      cells: (shape) => forestCells('hoeffdingTreeRegression', shape, plan),
    },
    (cells, shape) => oneTree(new Forest(cells, shape, plan)),
  );
}
