import type { ClassLabel, ClassScores, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance, poisson } from '../../chance.js';
import { requirePositive } from '../../check-options.js';
import { ADWIN_SIZE, Adwin } from '../../drift/adwin.js';
import { requireClasses } from '../classes.js';
import { classLeaves } from '../trees/class-leaves.js';
import { Forest, type ForestPlan, forestCells } from '../trees/forest.js';
import { treeFeatures } from '../trees/leaf-features.js';
import { placeOfGreatest } from '../trees/leaves.js';
import { classLabels, classTreeRules, type TreeLogic, type TreeOptions, treeLearner } from '../trees/tree-learner.js';
import { addVote, type EnsembleCells, errorRises, requireMembers, toShares } from './members.js';

/** The classes of a forest, its trees, and when it takes the world for changed. */
export interface AdaptiveRandomForestOptions<C extends ClassLabel> extends TreeOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
  /** 10 by default. */
  readonly trees?: number;
  /** Features that a leaf observes, drawn at random; the square root of all by default. A category is one feature. */
  readonly featuresPerLeaf?: number;
  /** How often a tree learns a row, on average; 6 by default. */
  readonly rowWeight?: number;
  /** Probability that a warning is raised without a change; 0.01 by default. */
  readonly warningDelta?: number;
  /** Probability that a tree is replaced without a change; 0.001 by default. */
  readonly driftDelta?: number;
  /** Another seed draws other features and other weights; 1 by default. */
  readonly seed?: number;
}

/** Before the trees: rows learnt. */
const HEAD = 1;
/** Of a tree: which of its two slots votes, whether another tree grows in the other one, rows it saw and those it classified rightly. */
const VOTES = 0;
const GROWS = 1;
const SEEN = 2;
const RIGHT = 3;
const WARNING = 4;
const DRIFT = WARNING + ADWIN_SIZE;
const MEMBER = DRIFT + ADWIN_SIZE;

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
  const { classes, trees = 10, rowWeight = 6, warningDelta = 0.01, driftDelta = 0.001, seed = 1 } = options;
  const chances = { trees, rowWeight, warningDelta, driftDelta, seed };
  requireClasses('adaptiveRandomForest', classes);
  const rules = classTreeRules('adaptiveRandomForest', options, { gracePeriod: 50, delta: 0.01 });
  requireMembers('adaptiveRandomForest', { trees, rowWeight, featuresPerLeaf: options.featuresPerLeaf ?? 1 });
  requirePositive('adaptiveRandomForest', { warningDelta, driftDelta });
  const planOf = (shape: FeatureShape): ForestPlan => {
    const { featuresPerLeaf = Math.round(Math.sqrt(treeFeatures(shape).length)) } = options;
    return { ...rules, leaves: classLeaves(classes.length, rules), slots: 2 * trees, featuresPerLeaf, seed };
  };
  return treeLearner(
    'adaptive-random-forest',
    {
      labels: classLabels(classes),
      settings: { ...chances, ...rules },
      structure: { trees, featuresPerLeaf: options.featuresPerLeaf ?? 'square root' },
      cells: (shape) => ({
        ...forestCells('adaptiveRandomForest', shape, planOf(shape)),
        members: float64Cell({ size: HEAD + trees * MEMBER }),
      }),
    },
    (cells, shape) =>
      openForest(cells, new Forest(cells, shape, planOf(shape)), { classes: classes.length, ...chances }),
  );
}

function openForest(
  { members }: { readonly members: Float64Cell },
  forest: Forest,
  options: {
    readonly classes: number;
    readonly trees: number;
    readonly rowWeight: number;
    readonly warningDelta: number;
    readonly driftDelta: number;
    readonly seed: number;
  },
): TreeLogic {
  const { trees, seed } = options;
  const { values: state } = members;
  const timesOf = poisson(options.rowWeight);
  const warnings = new Adwin(members, options.warningDelta);
  const drifts = new Adwin(members, options.driftDelta);
  const shares = new Float64Array(options.classes);
  const slotOf = (tree: number, vote: number): number => 2 * tree + vote;
  const set = (at: number, value: number): void => {
    state[at] = value;
    members.touch(at);
  };
  /** Lets a new tree grow beside the one that votes, from the next row on. */
  const growAnother = (tree: number, at: number): void => {
    forest.drop(slotOf(tree, 1 - (state[at + VOTES] as number)));
    set(at + GROWS, 1);
    warnings.clear(at + WARNING);
  };
  /** Replaces a tree by the one that grew beside it, or by none. */
  const replace = (tree: number, at: number): void => {
    const votes = state[at + VOTES] as number;
    forest.drop(slotOf(tree, votes));
    if (state[at + GROWS] === 1) {
      set(at + VOTES, 1 - votes);
      set(at + GROWS, 0);
      warnings.clear(at + WARNING);
    }
    drifts.clear(at + DRIFT);
    set(at + SEEN, 0);
    set(at + RIGHT, 0);
  };
  const learn = (tree: number, row: FeatureNumbers, c: number, weight: number, times: number): void => {
    const at = HEAD + tree * MEMBER;
    const votes = state[at + VOTES] as number;
    forest.predict(slotOf(tree, votes), row, shares);
    const isRight = placeOfGreatest(shares) === c;
    set(at + SEEN, (state[at + SEEN] as number) + weight);
    if (isRight) set(at + RIGHT, (state[at + RIGHT] as number) + weight);
    if (times === 0) return;
    if (state[at + GROWS] === 1) forest.learn(slotOf(tree, 1 - votes), row, c, weight * times);
    forest.learn(slotOf(tree, votes), row, c, weight * times);
    if (errorRises(warnings, at + WARNING, isRight)) growAnother(tree, at);
    if (errorRises(drifts, at + DRIFT, isRight)) replace(tree, at);
  };
  return {
    predict(row, into) {
      into.fill(0);
      for (let tree = 0; tree < trees; tree++) {
        const at = HEAD + tree * MEMBER;
        forest.predict(slotOf(tree, state[at + VOTES] as number), row, shares);
        const right = state[at + RIGHT] as number;
        addVote(into, shares, right > 0 ? right / (state[at + SEEN] as number) : 1);
      }
      toShares(into);
    },
    learn(row, c, weight) {
      const update = state[0] as number;
      set(0, update + 1);
      for (let tree = 0; tree < trees; tree++) learn(tree, row, c, weight, timesOf(chance(seed, tree, update)));
    },
  };
}
