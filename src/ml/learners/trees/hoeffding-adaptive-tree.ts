import type { ClassLabel, ClassScores, FeatureNumbers, Learner } from '../../../core/learner.js';
import { type ArenaCell, type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance, poisson } from '../../chance.js';
import { requirePositive } from '../../check-options.js';
import { ADWIN_SIZE, Adwin, errorRises } from '../../drift/adwin.js';
import { requireClasses } from '../classes.js';
import { classLabels, type DenseLogic, denseLearner } from '../dense-learner.js';
import { classLeaves } from './class-leaves.js';
import { Forest, type ForestCells, type ForestPlan, forestCells } from './forest.js';
import { argmax } from './leaves.js';
import { classTreeRules, type TreeOptions } from './tree-rules.js';

/** The classes of a tree, how it grows, and when it takes a part of the world for changed. */
export interface HoeffdingAdaptiveTreeOptions<C extends ClassLabel> extends TreeOptions {
  /** All classes, in the order of the scores; at least two. */
  readonly classes: readonly C[];
  /** Probability that a node takes its errors for risen without a change; 0.002 by default. */
  readonly driftDelta?: number;
  /** Probability that a subtree is replaced by another one that is not better; 0.05 by default. */
  readonly switchDelta?: number;
  /** Rows that two subtrees must have seen before they are compared; 300 by default. */
  readonly comparedRowsMin?: number;
  /** Another seed draws other weights of rows; 1 by default. */
  readonly seed?: number;
}

/** The slots of the tree, and of all subtrees that grow beside its nodes. */
const MAIN = 0;
const BESIDE = 1;

/** Of a node: the link of the subtree that grows beside it, the rows and errors since the last change, and a window of errors. */
const ALTERNATE = 0;
const ROWS = 1;
const ERRORS = 2;
const WINDOW = 3;
const EXTRA = WINDOW + ADWIN_SIZE;

/**
 * A Hoeffding adaptive tree (HAT): a Hoeffding tree for classes that replaces the parts of it that have become wrong. Each node watches
 * the errors of the rows that pass it. Where they rise, another subtree starts to grow beside the node, and takes its place once it is
 * surely better, or goes once it is surely worse. It does not vote before.
 *
 * Guarantees: chance is a hash of the seed and the number of the row, so the same rows make the same tree on every machine and after any
 * restore. A row is learnt in time proportional to the features, the depth and the subtrees on its way.
 * Memory: twice the bound of `hoeffdingTree`, as the subtrees beside it have the same bounds together, and 2.5 KiB a node. A subtree
 * with which the tree would have more than `nodesMax` nodes is dropped instead of taking a place.
 * Errors: `config` where an option is out of range, and for a view without dense or with hashed features.
 * Source: Bifet and Gavaldà, "Adaptive learning from evolving data streams", IDA 2009 (HAT-ADWIN); weights of rows, defaults and the
 * comparison as in MOA and River, but a node goes on counting its errors when it splits, and subtrees beside the tree have none beside
 * them.
 *
 * @example learn(hoeffdingAdaptiveTree({ classes: ['fraud', 'fair'], gracePeriod: 100 }), { as: 'verdict', ... });
 */
export function hoeffdingAdaptiveTree<const C extends ClassLabel>(
  options: HoeffdingAdaptiveTreeOptions<C>,
): Learner<C, ClassScores, ForestCells> {
  const where = 'hoeffdingAdaptiveTree';
  const { classes, driftDelta = 0.002, switchDelta = 0.05, comparedRowsMin = 300, seed = 1 } = options;
  requireClasses(where, classes);
  requirePositive(where, { driftDelta, switchDelta, comparedRowsMin });
  const rules = classTreeRules(where, options);
  const changes = { driftDelta, switchDelta, comparedRowsMin, seed };
  const leaves = classLeaves(classes.length, rules);
  const plan: ForestPlan = { ...rules, leaves, slots: 2, seed, nodeExtra: EXTRA, isPruned: true };
  return denseLearner(
    'hoeffding-adaptive-tree',
    {
      labels: classLabels(classes),
      settings: { ...changes, ...rules },
      cells: (shape) => ({ ...forestCells(where, shape, plan), rows: float64Cell({ size: 1 }) }),
    },
    (cells, shape) => openTree(cells, new Forest(cells, shape, plan), leaves.outputs, { ...changes, ...rules }),
  );
}

function openTree(
  { nodes, rows }: { readonly nodes: ArenaCell; readonly rows: Float64Cell },
  forest: Forest,
  classes: number,
  options: {
    readonly nodesMax: number;
    readonly driftDelta: number;
    readonly switchDelta: number;
    readonly comparedRowsMin: number;
    readonly seed: number;
  },
): DenseLogic {
  const { nodesMax, switchDelta, comparedRowsMin, seed } = options;
  const { extra } = forest;
  const timesOf = poisson(1);
  const windows = new Adwin(nodes, options.driftDelta);
  const shares = new Float64Array(classes);
  /** How often the row in hand was drawn a weight. */
  let draws = 0;

  const get = (node: number, what: number): number => nodes.values[node + extra + what] as number;
  const set = (node: number, what: number, value: number): void => {
    nodes.values[node + extra + what] = value;
    nodes.touch(node);
  };
  const forget = (node: number): void => {
    set(node, ROWS, 0);
    set(node, ERRORS, 0);
    windows.clear(node + extra + WINDOW);
  };
  const dropAlternate = (node: number): void => {
    const link = get(node, ALTERNATE);
    if (link === 0) return;
    forest.visit(link - 1, (each) => forest.free(each));
    set(node, ALTERNATE, 0);
  };
  const sizeOf = (node: number): number => {
    let size = 0;
    forest.visit(node, () => {
      size++;
    });
    return size;
  };
  /** Takes in whether a row that passed a node was classified wrongly, and says whether errors have risen. */
  const watch = (node: number, error: number): boolean => {
    if (errorRises(windows, node + extra + WINDOW, error)) {
      forget(node);
      return true;
    }
    set(node, ROWS, get(node, ROWS) + 1);
    set(node, ERRORS, get(node, ERRORS) + error);
    return false;
  };
  const growBeside = (node: number): void => {
    dropAlternate(node);
    if (forest.nodesOf(BESIDE) < nodesMax) set(node, ALTERNATE, forest.plant(BESIDE) + 1);
  };
  /** Compares a node with the subtree beside it, and says whether this has taken its place. */
  const compare = (node: number, beside: number): boolean => {
    const [own, other] = [get(node, ROWS), get(beside, ROWS)];
    if (!(own > comparedRowsMin && other > comparedRowsMin)) return false;
    const rate = get(node, ERRORS) / own;
    const gain = rate - get(beside, ERRORS) / other;
    const bound = Math.sqrt(2 * rate * (1 - rate) * Math.log(2 / switchDelta) * (1 / own + 1 / other));
    const isBetter = gain > bound;
    if (!isBetter && gain >= -bound) return false;
    if (!isBetter || forest.nodesOf(MAIN) - sizeOf(node) + sizeOf(beside) > nodesMax) {
      dropAlternate(node);
      return false;
    }
    forest.visit(node, (each) => {
      if (each === node) return;
      dropAlternate(each);
      forest.free(each);
    });
    forest.graft(node, beside);
    return true;
  };
  /** Teaches a row to the subtree from a node on, and to those beside it. */
  const learn = (from: number, row: FeatureNumbers, c: number, weight: number): void => {
    const leaf = forest.leafOf(from, row);
    forest.predictAt(leaf, row, shares);
    const error = argmax(shares) === c ? 0 : 1;
    for (let node = from; node >= 0; node = forest.next(node, row)) {
      const hasRisen = watch(node, error);
      if (node === leaf) break;
      if (hasRisen && forest.slotOf(node) === MAIN) growBeside(node);
      const beside = get(node, ALTERNATE) - 1;
      if (beside < 0) continue;
      if (compare(node, beside)) {
        learn(node, row, c, weight);
        return;
      }
      if (get(node, ALTERNATE) !== 0) learn(beside, row, c, weight);
    }
    const times = Math.max(1, timesOf(chance(seed, draws++, rows.values[0] as number)));
    forest.learnAt(leaf, row, c, weight * times);
  };
  return {
    predict: (row, into) => forest.predict(MAIN, row, into),
    learn(row, c, weight) {
      rows.values[0] = (rows.values[0] as number) + 1;
      rows.touch(0);
      draws = 0;
      learn(forest.plantedRoot(MAIN), row, c, weight);
    },
  };
}
