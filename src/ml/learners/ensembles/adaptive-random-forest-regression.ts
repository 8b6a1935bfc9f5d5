import type { Learner } from '../../../core/learner.js';
import { addToMoments, MOMENTS_SIZE, varianceOf } from '../../../util/moments.js';
import { numberLabels } from '../dense-learner.js';
import { numberLeaves } from '../trees/number-leaves.js';
import { numberTreeRules, type TreeRegressionOptions } from '../trees/tree-rules.js';
import type { EnsembleCells } from './members.js';
import { type RandomForestOptions, randomForest, type Voting } from './random-forest.js';

/** The trees of a forest for numbers, and when it takes the world for changed. */
export interface AdaptiveRandomForestRegressionOptions extends TreeRegressionOptions, RandomForestOptions {}

/** So many standard deviations on both sides of 0 are the range of an error. */
const DEVIATIONS = 3;

/** The median of what the trees predict. An error keeps its sign, so that trees which begin to say too much or too little have changed. */
function byMedian(trees: number): Voting {
  const votes = new Float64Array(trees);
  return {
    size: MOMENTS_SIZE,
    judge(kept, at, [said], label) {
      const off = label - (said as number);
      addToMoments(kept, at, off);
      const range = 2 * DEVIATIONS * Math.sqrt(varianceOf(kept, at));
      return range > 0 ? off / range + 1 / 2 : 1 / 2;
    },
    hasChanged: (errors, at, error) => errors.add(at, error),
    vote(tree, _kept, _at, [said]) {
      votes[tree] = said as number;
    },
    finish(into) {
      votes.sort();
      into[0] = ((votes[(trees - 1) >> 1] as number) + (votes[trees >> 1] as number)) / 2;
    },
  };
}

/**
 * An adaptive random forest for numbers: the median of Hoeffding trees. They differ, as each leaf observes features drawn at random
 * and each tree learns a row a random number of times. Each tree watches its errors, in units of their standard deviation: at a
 * warning another tree starts to learn beside it, and takes its place when the change is confirmed.
 *
 * Guarantees: chance is a hash of the seed, the tree and the number of the row, so the same rows make the same forest on every
 * machine and after any restore. A label beyond 1e50 is refused as `unusable-label`.
 * Memory: twice `trees` the bound of `hoeffdingTreeRegression` (with leaves of `featuresPerLeaf` features), and 5.1 KiB a tree to find
 * changes.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Gomes et al., "Adaptive random forests for data stream regression", ESANN 2018; changes and defaults as in River.
 *
 * @example learn(pipe(standardScaler(), adaptiveRandomForestRegression({ trees: 10 })), { as: 'delay', ... });
 */
export function adaptiveRandomForestRegression(
  options: AdaptiveRandomForestRegressionOptions = {},
): Learner<number, number, EnsembleCells> {
  const where = 'adaptiveRandomForestRegression';
  const rules = numberTreeRules(where, options, { gracePeriod: 50, delta: 0.01 });
  return randomForest(
    { kind: 'adaptive-random-forest-regression', where, labels: numberLabels, leaves: numberLeaves(rules) },
    options,
    rules,
    byMedian,
  );
}
