import { MillraceError } from '../../../core/errors.js';
import type { FeatureNumbers, FeatureShape } from '../../../core/learner.js';
import { type ArenaCell, arenaCell, type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance } from '../../chance.js';
import { normalize } from '../classes.js';
import { LeafStatistics } from './leaf-statistics.js';

/** How the leaves of Hoeffding trees learn, split and predict. */
export interface TreeRules {
  readonly gracePeriod: number;
  readonly delta: number;
  readonly tieThreshold: number;
  readonly leafPrediction: 'majority' | 'naive-bayes' | 'adaptive';
  /** Of one tree. */
  readonly nodesMax: number;
  readonly openLeavesMax: number;
}

/** How many trees there are at most, for how many classes, and what their leaves observe. */
export interface ForestPlan extends TreeRules {
  readonly slots: number;
  readonly classes: number;
  /** Features that a leaf observes, drawn for it by `seed`; all by default. */
  readonly featuresPerLeaf?: number | undefined;
  readonly seed: number;
}

/** A node. Links are the place of a record plus 1, and 0 for none; a node without children is a leaf, one without statistics closed. */
const LEFT = 0;
const RIGHT = 1;
const PLACE = 2;
const THRESHOLD = 3;
const STATISTICS = 4;
/** The slot of its tree. */
const SLOT = 5;
/** The weight of the leaf when a split was last tried. */
const TRIED_AT = 6;
/** The weight of the rows that the majority and naive Bayes would have classified rightly. */
const MAJORITY_RIGHT = 7;
const BAYES_RIGHT = 8;
/** Then the weight of each class. */
const CLASSES = 9;

/** Before the trees: leaves that were opened. */
const HEAD = 1;
/** Of a tree: the link of its root, its nodes and its open leaves. */
const ROOT = 0;
const NODES = 1;
const OPEN = 2;
const TREE = 3;

export interface ForestCells {
  readonly trees: ReturnType<typeof float64Cell>;
  readonly nodes: ReturnType<typeof arenaCell>;
  readonly leaves: ReturnType<typeof arenaCell>;
  readonly [name: string]: ReturnType<typeof float64Cell> | ReturnType<typeof arenaCell>;
}

/** The cells of some trees: the nodes of all lie in one arena, the statistics of their open leaves in another. */
export function forestCells(where: string, shape: FeatureShape, plan: ForestPlan): ForestCells {
  if (shape.denseSize === 0 || shape.hashedSize > 0)
    throw new MillraceError('config', `${where}: the view has hashed features, or no dense ones`, {
      hint: 'give it dense features only',
    });
  const { slots, classes, nodesMax, openLeavesMax } = plan;
  const { width } = new LeafStatistics(shape, classes, plan.featuresPerLeaf);
  return {
    trees: float64Cell({ size: HEAD + slots * TREE }),
    nodes: arenaCell({ width: CLASSES + classes, recordsMax: slots * nodesMax }),
    leaves: arenaCell({ width: width + 1, recordsMax: slots * openLeavesMax }),
  };
}

/** Hoeffding trees that grow in the cells of `forestCells`, each in a slot of its own. A slot without rows has no tree. */
export class Forest {
  private readonly statistics: LeafStatistics;
  private readonly scores: Float64Array;
  private readonly weights: Float64Array;
  private readonly drawn: Uint32Array;
  private readonly trees: Float64Cell;
  private readonly nodes: ArenaCell;
  private readonly leaves: ArenaCell;

  constructor(
    cells: { readonly trees: Float64Cell; readonly nodes: ArenaCell; readonly leaves: ArenaCell },
    shape: FeatureShape,
    private readonly plan: ForestPlan,
  ) {
    this.trees = cells.trees;
    this.nodes = cells.nodes;
    this.leaves = cells.leaves;
    this.statistics = new LeafStatistics(shape, plan.classes, plan.featuresPerLeaf);
    this.scores = new Float64Array(plan.classes);
    this.weights = new Float64Array(plan.classes);
    this.drawn = new Uint32Array(this.statistics.features);
  }

  /** Whether there is a tree in a slot. */
  has(slot: number): boolean {
    return this.trees.values[HEAD + slot * TREE + ROOT] !== 0;
  }

  /** Writes the shares of the classes of a row by the tree in a slot; equal ones where there is none. */
  predict(slot: number, row: FeatureNumbers, into: Float64Array): void {
    const root = this.trees.values[HEAD + slot * TREE + ROOT] as number;
    if (root === 0) {
      into.fill(1 / into.length);
      return;
    }
    const leaf = this.leafOf(root - 1, row);
    const { values } = this.nodes;
    const { leafPrediction } = this.plan;
    const usesBayes =
      values[leaf + STATISTICS] !== 0 &&
      (leafPrediction === 'naive-bayes' ||
        (leafPrediction === 'adaptive' &&
          (values[leaf + BAYES_RIGHT] as number) >= (values[leaf + MAJORITY_RIGHT] as number)));
    if (usesBayes) this.bayes(leaf, row, into);
    else {
      const total = this.readWeights(leaf, into);
      for (let c = 0; c < into.length; c++) into[c] = (into[c] as number) / total;
    }
  }

  /** Teaches a row of class `c` to the tree in a slot, and plants one where there is none. */
  learn(slot: number, row: FeatureNumbers, c: number, weight: number): void {
    const tree = HEAD + slot * TREE;
    if (!this.has(slot)) {
      const root = this.addNode(slot);
      this.trees.values[tree + ROOT] = root + 1;
      this.trees.touch(tree + ROOT);
      this.open(slot, root);
    }
    const leaf = this.leafOf((this.trees.values[tree + ROOT] as number) - 1, row);
    const { values } = this.nodes;
    const link = values[leaf + STATISTICS] as number;
    if (link !== 0 && this.plan.leafPrediction === 'adaptive') this.compare(leaf, row, c, weight);
    values[leaf + CLASSES + c] = (values[leaf + CLASSES + c] as number) + weight;
    this.nodes.touch(leaf);
    if (link === 0) return;
    this.statistics.learn(this.leaves.values, link, row.dense, c, weight);
    this.leaves.touch(link);
    const total = this.readWeights(leaf, this.weights);
    const isDue = total - (values[leaf + TRIED_AT] as number) >= this.plan.gracePeriod;
    if (isDue && (this.trees.values[tree + NODES] as number) + 2 <= this.plan.nodesMax)
      this.trySplit(slot, leaf, total);
  }

  /** Removes the tree in a slot. */
  drop(slot: number): void {
    const { nodes, leaves } = this;
    for (let node = nodes.next(0); node >= 0; node = nodes.next(node + 1)) {
      if (nodes.values[node + SLOT] !== slot) continue;
      const link = nodes.values[node + STATISTICS] as number;
      if (link !== 0) leaves.free(link - 1);
      nodes.free(node);
    }
    const tree = HEAD + slot * TREE;
    this.trees.values.fill(0, tree, tree + TREE);
    for (let i = 0; i < TREE; i++) this.trees.touch(tree + i);
  }

  private leafOf(root: number, { dense }: FeatureNumbers): number {
    const { values } = this.nodes;
    let node = root;
    while (values[node + LEFT] !== 0) {
      const isLeft = (dense[values[node + PLACE] as number] as number) <= (values[node + THRESHOLD] as number);
      node = (values[node + (isLeft ? LEFT : RIGHT)] as number) - 1;
    }
    return node;
  }

  /** Writes the weights of a leaf's classes and returns their sum. */
  private readWeights(leaf: number, into: Float64Array): number {
    let total = 0;
    for (let c = 0; c < into.length; c++) {
      const weight = this.nodes.values[leaf + CLASSES + c] as number;
      into[c] = weight;
      total += weight;
    }
    return total;
  }

  private bayes(leaf: number, { dense }: FeatureNumbers, into: Float64Array): void {
    const total = this.readWeights(leaf, into);
    for (let c = 0; c < into.length; c++) into[c] = Math.log((into[c] as number) / total);
    this.statistics.addLogLikelihoods(this.leaves.values, this.nodes.values[leaf + STATISTICS] as number, dense, into);
    normalize(into);
  }

  /** Counts whether the majority and naive Bayes would have been right. */
  private compare(leaf: number, row: FeatureNumbers, c: number, weight: number): void {
    const { values } = this.nodes;
    const total = this.readWeights(leaf, this.scores);
    if (total === 0 || placeOfGreatest(this.scores) === c)
      values[leaf + MAJORITY_RIGHT] = (values[leaf + MAJORITY_RIGHT] as number) + weight;
    if (total === 0) return;
    this.bayes(leaf, row, this.scores);
    if (placeOfGreatest(this.scores) === c)
      values[leaf + BAYES_RIGHT] = (values[leaf + BAYES_RIGHT] as number) + weight;
  }

  /** Splits a leaf where its best feature is better than the next one by more than chance explains, or both are equally good. */
  private trySplit(slot: number, leaf: number, total: number): void {
    const { plan, statistics } = this;
    this.nodes.values[leaf + TRIED_AT] = total;
    let seen = 0;
    for (let c = 0; c < plan.classes; c++) if ((this.weights[c] as number) > 0) seen++;
    if (seen < 2) return;
    const link = this.nodes.values[leaf + STATISTICS] as number;
    if (!statistics.findSplit(this.leaves.values, link, this.weights)) return;
    const bound = Math.log2(seen) * Math.sqrt(Math.log(1 / plan.delta) / (2 * total));
    if (statistics.best.merit - statistics.secondMerit > bound || bound < plan.tieThreshold) this.split(slot, leaf);
  }

  private split(slot: number, leaf: number): void {
    const { best, left, right } = this.statistics;
    const children = [this.addNode(slot), this.addNode(slot)] as const;
    this.close(slot, leaf);
    const { values } = this.nodes;
    values[leaf + PLACE] = best.place;
    values[leaf + THRESHOLD] = best.threshold;
    values[leaf + LEFT] = children[0] + 1;
    values[leaf + RIGHT] = children[1] + 1;
    values.set(left, children[0] + CLASSES);
    values.set(right, children[1] + CLASSES);
    for (const child of children) {
      values[child + TRIED_AT] = this.readWeights(child, this.weights);
      this.open(slot, child);
    }
  }

  private addNode(slot: number): number {
    const node = this.nodes.allocate();
    this.nodes.values[node + SLOT] = slot;
    this.count(slot, NODES, 1);
    return node;
  }

  /** Gives a leaf statistics. Where the tree has no more of them, the leaf that could improve least goes without. */
  private open(slot: number, leaf: number): void {
    const { statistics, leaves, nodes } = this;
    if ((this.trees.values[HEAD + slot * TREE + OPEN] as number) >= this.plan.openLeavesMax) {
      const least = this.leastPromising(slot, leaf);
      if (least === leaf) return;
      this.close(slot, least);
    }
    const at = leaves.allocate();
    nodes.values[leaf + STATISTICS] = at + 1;
    nodes.touch(leaf);
    leaves.values[at] = leaf;
    this.count(slot, OPEN, 1);
    this.draw();
    for (let n = 0; n < statistics.observed; n++) statistics.observe(leaves.values, at + 1, n, this.drawn[n] as number);
  }

  private close(slot: number, leaf: number): void {
    this.leaves.free((this.nodes.values[leaf + STATISTICS] as number) - 1);
    this.nodes.values[leaf + STATISTICS] = 0;
    this.nodes.touch(leaf);
    this.count(slot, OPEN, -1);
  }

  /** The leaf of a tree with the least weight of rows outside of its majority: this one, or an open one. */
  private leastPromising(slot: number, leaf: number): number {
    const { leaves, nodes } = this;
    let least = leaf;
    let promise = this.promiseOf(leaf);
    for (let at = leaves.next(0); at >= 0; at = leaves.next(at + 1)) {
      const other = leaves.values[at] as number;
      if (nodes.values[other + SLOT] !== slot || this.promiseOf(other) >= promise) continue;
      least = other;
      promise = this.promiseOf(other);
    }
    return least;
  }

  private promiseOf(leaf: number): number {
    const total = this.readWeights(leaf, this.scores);
    return total - (this.scores[placeOfGreatest(this.scores)] as number);
  }

  /** Draws the features that the next leaf observes: the first of `drawn`. */
  private draw(): void {
    const { drawn, statistics, trees, plan } = this;
    const { observed, features } = statistics;
    for (let i = 0; i < features; i++) drawn[i] = i;
    if (observed === features) return;
    const opened = trees.values[0] as number;
    trees.values[0] = opened + 1;
    trees.touch(0);
    for (let n = 0; n < observed; n++) {
      const other = n + Math.floor(chance(plan.seed, plan.slots + n, opened) * (features - n));
      const taken = drawn[other] as number;
      drawn[other] = drawn[n] as number;
      drawn[n] = taken;
    }
  }

  private count(slot: number, what: number, by: number): void {
    const at = HEAD + slot * TREE + what;
    this.trees.values[at] = (this.trees.values[at] as number) + by;
    this.trees.touch(at);
  }
}

/** The first of the greatest. */
export function placeOfGreatest(numbers: Float64Array): number {
  let place = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) > (numbers[place] as number)) place = i;
  return place;
}
