import type { FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance, poisson } from '../../chance.js';
import { requirePositive } from '../../check-options.js';
import { ADWIN_SIZE, Adwin } from '../../drift/adwin.js';
import { type DenseLogic, denseLearner, type Labels } from '../dense-learner.js';
import { Forest, type ForestPlan, forestCells, type GrowthRules } from '../trees/forest.js';
import { treeFeatures } from '../trees/leaf-features.js';
import type { LeafKind } from '../trees/leaves.js';
import { type EnsembleCells, requireMembers } from './members.js';

/** The trees of a forest, and when it takes the world for changed. */
export interface RandomForestOptions {
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

/** How trees are judged, and how what they predict becomes one prediction. */
export interface Voting {
  /** Numbers kept of how good a tree is; 0 for a new one. */
  readonly size: number;
  /** Takes in what a tree predicted of a row, and gives its error: about 0 to 1. */
  judge(kept: Float64Array, at: number, said: Float64Array, label: number, weight: number): number;
  /** Adds an error to a window, and says whether there is a change that matters. */
  hasChanged(errors: Adwin, at: number, error: number): boolean;
  /** Takes in the vote of a tree; the first tree is 0. */
  vote(tree: number, kept: Float64Array, at: number, said: Float64Array, into: Float64Array): void;
  /** Makes one prediction of the votes. */
  finish(into: Float64Array): void;
}

/** Before the trees: rows learnt. */
const HEAD = 1;
/** Of a tree: which of its two slots votes, whether another tree grows in the other one, its windows, and what its judge keeps. */
const VOTES = 0;
const GROWS = 1;
const WARNING = 2;
const DRIFT = WARNING + ADWIN_SIZE;
const KEPT = DRIFT + ADWIN_SIZE;

/** What a forest is called, what its trees predict, and what their leaves are. */
interface ForestKind<Y, P> {
  readonly kind: string;
  readonly where: string;
  readonly labels: Labels<Y, P>;
  readonly leaves: LeafKind;
}

/** Hoeffding trees that vote, as a learner. `votingOf` is called for each that is opened, as it may have room for votes. */
export function randomForest<Y, P>(
  { kind, where, labels, leaves }: ForestKind<Y, P>,
  options: RandomForestOptions,
  rules: GrowthRules & Settings,
  votingOf: (trees: number) => Voting,
): Learner<Y, P, EnsembleCells> {
  const { trees = 10, rowWeight = 6, warningDelta = 0.01, driftDelta = 0.001, seed = 1 } = options;
  const chances = { trees, rowWeight, warningDelta, driftDelta, seed };
  requireMembers(where, { trees, rowWeight, featuresPerLeaf: options.featuresPerLeaf ?? 1 });
  requirePositive(where, { warningDelta, driftDelta });
  const planOf = (shape: FeatureShape): ForestPlan => {
    const { featuresPerLeaf = Math.round(Math.sqrt(treeFeatures(shape).length)) } = options;
    return { ...rules, leaves, slots: 2 * trees, featuresPerLeaf, seed };
  };
  return denseLearner(
    kind,
    {
      labels,
      settings: { ...chances, ...rules },
      structure: { trees, featuresPerLeaf: options.featuresPerLeaf ?? 'square root', ...leaves.structure },
      cells: (shape) => ({
        ...forestCells(where, shape, planOf(shape)),
        members: float64Cell({ size: HEAD + trees * (KEPT + votingOf(trees).size) }),
      }),
    },
    (cells, shape) =>
      openForest(cells, new Forest(cells, shape, planOf(shape)), labels.outputs, chances, votingOf(trees)),
  );
}

function openForest(
  { members }: { readonly members: Float64Cell },
  forest: Forest,
  outputs: number,
  options: Required<Omit<RandomForestOptions, 'featuresPerLeaf'>>,
  voting: Voting,
): DenseLogic {
  const { trees, seed } = options;
  const { values: state } = members;
  const timesOf = poisson(options.rowWeight);
  const warnings = new Adwin(members, options.warningDelta);
  const drifts = new Adwin(members, options.driftDelta);
  const said = new Float64Array(outputs);
  const memberAt = (tree: number): number => HEAD + tree * (KEPT + voting.size);
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
    for (let i = 0; i < voting.size; i++) set(at + KEPT + i, 0);
  };
  const learn = (tree: number, row: FeatureNumbers, label: number, weight: number, times: number): void => {
    const at = memberAt(tree);
    const votes = state[at + VOTES] as number;
    const leaf = forest.leafIn(slotOf(tree, votes), row);
    forest.predictLeaf(leaf, row, said);
    const error = voting.judge(state, at + KEPT, said, label, weight);
    for (let i = 0; i < voting.size; i++) members.touch(at + KEPT + i);
    if (times === 0) return;
    if (state[at + GROWS] === 1) forest.learn(slotOf(tree, 1 - votes), row, label, weight * times);
    if (leaf < 0) forest.learn(slotOf(tree, votes), row, label, weight * times);
    else forest.learnAt(leaf, row, label, weight * times);
    if (voting.hasChanged(warnings, at + WARNING, error)) growAnother(tree, at);
    if (voting.hasChanged(drifts, at + DRIFT, error)) replace(tree, at);
  };
  return {
    predict(row, into) {
      into.fill(0);
      for (let tree = 0; tree < trees; tree++) {
        const at = memberAt(tree);
        forest.predict(slotOf(tree, state[at + VOTES] as number), row, said);
        voting.vote(tree, state, at + KEPT, said, into);
      }
      voting.finish(into);
    },
    learn(row, label, weight) {
      const update = state[0] as number;
      set(0, update + 1);
      for (let tree = 0; tree < trees; tree++) learn(tree, row, label, weight, timesOf(chance(seed, tree, update)));
    },
  };
}
