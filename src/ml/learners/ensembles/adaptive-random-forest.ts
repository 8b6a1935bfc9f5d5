import type { ClassLabel, ClassScores, Learner } from '../../../core/learner.js';
import { errorRises } from '../../drift/adwin.js';
import { requireClasses } from '../classes.js';
import { classLabels } from '../dense-learner.js';
import { classLeaves } from '../trees/class-leaves.js';
import { argmax } from '../trees/leaves.js';
import { classTreeRules, type TreeOptions } from '../trees/tree-rules.js';
import { addVote, type EnsembleCells, toShares } from './members.js';
import { type RandomForestOptions, randomForest, type Voting } from './random-forest.js';

/** The classes of a forest, its trees, and when it takes the world for changed. */
export interface AdaptiveRandomForestOptions<C extends ClassLabel> extends TreeOptions, RandomForestOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
}

/** Kept of a tree: the weight of the rows it saw, and of those that it classified rightly. */
const SEEN = 0;
const RIGHT = 1;

/** Trees vote by their accuracy. Only an error that rises counts as a change. */
const byAccuracy: Voting = {
  size: 2,
  judge(kept, at, said, c, weight) {
    const isRight = argmax(said) === c;
    kept[at + SEEN] = (kept[at + SEEN] as number) + weight;
    if (isRight) kept[at + RIGHT] = (kept[at + RIGHT] as number) + weight;
    return isRight ? 0 : 1;
  },
  hasChanged: errorRises,
  vote(_tree, kept, at, said, into) {
    const right = kept[at + RIGHT] as number;
    addVote(into, said, right > 0 ? right / (kept[at + SEEN] as number) : 1);
  },
  finish: toShares,
};

/**
 * An adaptive random forest: Hoeffding trees that vote by their accuracy. They differ, as each leaf observes features drawn at random
 * and each tree learns a row a random number of times. Each tree watches its errors: at a warning another tree starts to learn
 * beside it, and takes its place when the change is confirmed.
 *
 * Guarantees: chance is a hash of the seed, the tree and the number of the row, so the same rows make the same forest on every
 * machine and after any restore. Only an error that rises counts as a change.
 * Memory: twice `trees` the bound of `hoeffdingTree` (with leaves of `featuresPerLeaf` features), and 5.1 KiB a tree to find changes.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Gomes et al., "Adaptive random forests for evolving data stream classification", Machine Learning 106 (2017); defaults as in
 * River, changes as in MOA.
 *
 * @example learn(adaptiveRandomForest({ classes: ['fraud', 'fair'], trees: 10 }), { as: 'verdict', ... });
 */
export function adaptiveRandomForest<const C extends ClassLabel>(
  options: AdaptiveRandomForestOptions<C>,
): Learner<C, ClassScores, EnsembleCells> {
  const where = 'adaptiveRandomForest';
  const { classes } = options;
  requireClasses(where, classes);
  const rules = classTreeRules(where, options, { gracePeriod: 50, delta: 0.01 });
  return randomForest(
    { kind: 'adaptive-random-forest', where, labels: classLabels(classes), leaves: classLeaves(classes.length, rules) },
    options,
    rules,
    () => byAccuracy,
  );
}
