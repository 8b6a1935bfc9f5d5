import type { ClassLabel, ClassScores, FeatureNumbers, Learner } from '../../../core/learner.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance, poisson } from '../../chance.js';
import { requirePositive } from '../../check-options.js';
import { ADWIN_SIZE, Adwin, errorRises } from '../../drift/adwin.js';
import { requireClasses } from '../classes.js';
import { classLabels, type DenseLogic, denseLearner } from '../dense-learner.js';
import { classLeaves } from '../trees/class-leaves.js';
import { Forest, type ForestPlan, forestCells } from '../trees/forest.js';
import { argmax } from '../trees/leaves.js';
import { classTreeRules, type TreeOptions } from '../trees/tree-rules.js';
import { addVote, type EnsembleCells, requireMembers, toShares } from './members.js';

/** The classes of an ensemble, its trees, and when it takes the world for changed. */
export interface LeveragingBaggingOptions<C extends ClassLabel> extends TreeOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
  /** 10 by default. */
  readonly trees?: number;
  /** How often a tree learns a row, on average; 6 by default. */
  readonly rowWeight?: number;
  /** Probability that a tree is replaced without a change; 0.002 by default. */
  readonly driftDelta?: number;
  /** Another seed draws other weights; 1 by default. */
  readonly seed?: number;
}

/** Before the windows of the trees: rows learnt. */
const HEAD = 1;

/**
 * Leveraging bagging: Hoeffding trees that vote alike. Each learns a row a random number of times, more often than in plain bagging,
 * which makes them differ more. When the errors of one have risen, the worst of all is replaced by a new tree.
 *
 * Guarantees: chance is a hash of the seed, the tree and the number of the row, so the same rows make the same trees on every machine
 * and after any restore.
 * Memory: `trees` times the bound of `hoeffdingTree`, and 2.5 KiB a tree to find changes.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Bifet, Holmes and Pfahringer, "Leveraging bagging for evolving data streams", ECML PKDD 2010; as in MOA and River.
 *
 * @example learn(leveragingBagging({ classes: ['fraud', 'fair'], trees: 5 }), { as: 'verdict', ... });
 */
export function leveragingBagging<const C extends ClassLabel>(
  options: LeveragingBaggingOptions<C>,
): Learner<C, ClassScores, EnsembleCells> {
  const { classes, trees = 10, rowWeight = 6, driftDelta = 0.002, seed = 1 } = options;
  requireClasses('leveragingBagging', classes);
  requireMembers('leveragingBagging', { trees, rowWeight });
  requirePositive('leveragingBagging', { driftDelta });
  const rules = classTreeRules('leveragingBagging', options);
  const chances = { trees, rowWeight, driftDelta, seed };
  const plan: ForestPlan = { ...rules, leaves: classLeaves(classes.length, rules), slots: trees, seed };
  return denseLearner(
    'leveraging-bagging',
    {
      labels: classLabels(classes),
      settings: { ...chances, ...rules },
      structure: { trees },
      cells: (shape) => ({
        ...forestCells('leveragingBagging', shape, plan),
        members: float64Cell({ size: HEAD + trees * ADWIN_SIZE }),
      }),
    },
    (cells, shape) => openBagging(cells, new Forest(cells, shape, plan), { classes: classes.length, ...chances }),
  );
}

function openBagging(
  { members }: { readonly members: Float64Cell },
  forest: Forest,
  options: {
    readonly classes: number;
    readonly trees: number;
    readonly rowWeight: number;
    readonly driftDelta: number;
    readonly seed: number;
  },
): DenseLogic {
  const { trees, seed } = options;
  const timesOf = poisson(options.rowWeight);
  const errors = new Adwin(members, options.driftDelta);
  const shares = new Float64Array(options.classes);
  const windowOf = (tree: number): number => HEAD + tree * ADWIN_SIZE;
  const replaceWorst = (): void => {
    let worst = 0;
    for (let tree = 1; tree < trees; tree++)
      if (errors.mean(windowOf(tree)) > errors.mean(windowOf(worst))) worst = tree;
    forest.drop(worst);
    errors.clear(windowOf(worst));
  };
  /** Teaches a tree a row and says whether its errors have risen. */
  const learn = (tree: number, row: FeatureNumbers, c: number, weight: number): boolean => {
    if (weight > 0) forest.learn(tree, row, c, weight);
    forest.predict(tree, row, shares);
    return errorRises(errors, windowOf(tree), argmax(shares) === c ? 0 : 1);
  };
  return {
    predict(row, into) {
      into.fill(0);
      for (let tree = 0; tree < trees; tree++) {
        forest.predict(tree, row, shares);
        addVote(into, shares, 1);
      }
      toShares(into);
    },
    learn(row, c, weight) {
      const update = members.values[0] as number;
      members.values[0] = update + 1;
      members.touch(0);
      let hasChanged = false;
      for (let tree = 0; tree < trees; tree++)
        if (learn(tree, row, c, weight * timesOf(chance(seed, tree, update)))) hasChanged = true;
      if (hasChanged) replaceWorst();
    },
  };
}
