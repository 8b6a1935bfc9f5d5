import type { FeatureNumbers, FeatureShape } from '../../../core/learner.js';
import { type ArenaCell, arenaCell, type Float64Cell, float64Cell } from '../../../state/index.js';
import { chance } from '../../chance.js';
import { type DenseLogic, requireDense } from '../dense-learner.js';
import { LeafFeatures } from './leaf-features.js';
import {
  COORDINATE,
  LEFT,
  type LeafKind,
  type Leaves,
  OWN,
  RIGHT,
  SLOT,
  STATISTICS,
  THRESHOLD,
  TRIED_AT,
  type TreeArenas,
} from './leaves.js';
import { TreePaths } from './tree-paths.js';

/** How trees grow. */
export interface GrowthRules {
  readonly gracePeriod: number;
  /** Of one tree. */
  readonly nodesMax: number;
  readonly openLeavesMax: number;
}

/** How many trees there are at most, what their leaves are, and what these observe. */
export interface ForestPlan extends GrowthRules {
  readonly slots: number;
  readonly leaves: LeafKind;
  /** Features that a leaf observes, drawn for it by `seed`; all by default. */
  readonly featuresPerLeaf?: number | undefined;
  readonly seed: number;
  /** Numbers of a node that whoever grows the tree keeps there, behind those of its leaves. */
  readonly nodeExtra?: number;
  /** Whether nodes are freed one by one, so that a tree that has all its nodes may grow again. */
  readonly isPruned?: boolean;
}

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
  requireDense(where, shape);
  const { slots, nodesMax, openLeavesMax } = plan;
  const features = new LeafFeatures(shape, plan.featuresPerLeaf);
  const { node, statistics } = plan.leaves.widths(shape, features);
  return {
    trees: float64Cell({ size: HEAD + slots * TREE }),
    nodes: arenaCell({ width: OWN + node + (plan.nodeExtra ?? 0), recordsMax: slots * nodesMax }),
    leaves: arenaCell({ width: features.head + statistics, recordsMax: slots * openLeavesMax }),
  };
}

/** Hoeffding trees that grow in the cells of `forestCells`, each in a slot of its own. A slot without rows has no tree. */
export class Forest {
  /** Where the extra numbers of a node are. */
  readonly extra: number;
  private readonly features: LeafFeatures;
  private readonly kind: Leaves;
  private readonly drawn: Uint32Array;
  private readonly trees: Float64Cell;
  private readonly nodes: ArenaCell;
  private readonly leaves: ArenaCell;
  private readonly paths: TreePaths;
  /** By slot, the statistics of its open leaves, which would otherwise be looked for among those of all trees. */
  private readonly openLeaves: readonly Set<number>[];

  constructor(
    cells: TreeArenas & { readonly trees: Float64Cell },
    shape: FeatureShape,
    private readonly plan: ForestPlan,
  ) {
    this.trees = cells.trees;
    this.nodes = cells.nodes;
    this.leaves = cells.leaves;
    this.features = new LeafFeatures(shape, plan.featuresPerLeaf);
    this.kind = plan.leaves.open(cells, shape, this.features);
    this.drawn = new Uint32Array(this.features.all.length);
    this.extra = OWN + plan.leaves.widths(shape, this.features).node;
    this.paths = new TreePaths(this.nodes);
    this.openLeaves = Array.from({ length: plan.slots }, () => new Set());
    const { leaves } = this;
    for (let at = leaves.next(0); at >= 0; at = leaves.next(at + 1))
      this.openLeaves[this.slotOf(leaves.values[at] as number)]?.add(at);
  }

  /** Writes what the tree in a slot predicts of a row. */
  predict(slot: number, row: FeatureNumbers, into: Float64Array): void {
    this.predictLeaf(this.leafIn(slot, row), row, into);
  }

  /** The leaf of the tree in a slot that a row ends at; -1 where there is no tree. */
  leafIn(slot: number, row: FeatureNumbers): number {
    const root = this.rootOf(slot);
    return root < 0 ? -1 : this.leafOf(root, row);
  }

  /** Writes what a leaf that `leafIn` found predicts of a row. */
  predictLeaf(leaf: number, row: FeatureNumbers, into: Float64Array): void {
    if (leaf < 0) into.fill(this.plan.leaves.unknown);
    else this.kind.predict(leaf, row, into);
  }

  /** Writes what a leaf predicts of a row; that of no tree before its first row. */
  predictAt(leaf: number, row: FeatureNumbers, into: Float64Array): void {
    if (this.kind.weightOf(leaf) > 0) this.kind.predict(leaf, row, into);
    else into.fill(this.plan.leaves.unknown);
  }

  /** Teaches a row to the tree in a slot, and plants one where there is none. */
  learn(slot: number, row: FeatureNumbers, label: number, weight: number): void {
    this.learnAt(this.leafOf(this.plantedRoot(slot), row), row, label, weight);
  }

  /** The root of the tree in a slot, which is planted where there is none. */
  plantedRoot(slot: number): number {
    const root = this.rootOf(slot);
    if (root >= 0) return root;
    const planted = this.plant(slot);
    this.add(slot, ROOT, planted + 1);
    return planted;
  }

  /** The slot whose nodes a node is one of. */
  slotOf(node: number): number {
    return this.nodes.values[node + SLOT] as number;
  }

  /** The nodes that count as those of a slot's tree. */
  nodesOf(slot: number): number {
    return this.trees.values[HEAD + slot * TREE + NODES] as number;
  }

  /** The root of the tree in a slot; -1 where there is none. */
  private rootOf(slot: number): number {
    return (this.trees.values[HEAD + slot * TREE + ROOT] as number) - 1;
  }

  /** Adds an open leaf without a parent to the nodes of a slot. */
  plant(slot: number): number {
    const node = this.addNode(slot);
    this.open(slot, node);
    return node;
  }

  /** The node below another one that a row goes to; -1 below a leaf. */
  next(node: number, { dense }: FeatureNumbers): number {
    const { values } = this.nodes;
    if (values[node + LEFT] === 0) return -1;
    const isLeft = (dense[values[node + COORDINATE] as number] as number) <= (values[node + THRESHOLD] as number);
    return (values[node + (isLeft ? LEFT : RIGHT)] as number) - 1;
  }

  /** The leaf that a row ends at, from a node on. */
  leafOf(from: number, row: FeatureNumbers): number {
    return this.paths.leafOf(from, row.dense);
  }

  /** Teaches a row to a leaf, and says whether it has split. */
  learnAt(leaf: number, row: FeatureNumbers, label: number, weight: number): boolean {
    const { kind, nodes, plan } = this;
    const { values } = nodes;
    const slot = values[leaf + SLOT] as number;
    const isFull = this.isFull(slot);
    kind.learn(leaf, row, label, weight, !isFull || plan.isPruned === true);
    nodes.touch(leaf);
    const link = values[leaf + STATISTICS] as number;
    if (link === 0) return false;
    this.leaves.touch(link - 1);
    if (isFull) return false;
    const total = kind.weightOf(leaf);
    if (total - (values[leaf + TRIED_AT] as number) < plan.gracePeriod) return false;
    values[leaf + TRIED_AT] = total;
    if (!kind.findSplit(leaf)) return false;
    this.split(slot, leaf);
    return true;
  }

  /** Removes the tree in a slot. */
  drop(slot: number): void {
    const root = this.rootOf(slot);
    if (root < 0) return;
    const { values } = this.nodes;
    // A tree may be deeper than calls can be.
    for (const links = [root + 1]; links.length > 0; ) {
      const node = (links.pop() as number) - 1;
      for (const link of [values[node + LEFT] as number, values[node + RIGHT] as number])
        if (link !== 0) links.push(link);
      this.free(node);
    }
    this.add(slot, ROOT, -1 - root);
  }

  /** Removes a node. Those below it, and the link to it, are left to the caller. */
  free(node: number): void {
    const slot = this.slotOf(node);
    if (this.nodes.values[node + STATISTICS] !== 0) this.close(slot, node);
    this.nodes.free(node);
    this.add(slot, NODES, -1);
  }

  /** Calls back for a node and all nodes below it, those below first. */
  visit(node: number, use: (node: number) => void): void {
    const left = this.nodes.values[node + LEFT] as number;
    const right = this.nodes.values[node + RIGHT] as number;
    if (left !== 0) this.visit(left - 1, use);
    if (right !== 0) this.visit(right - 1, use);
    use(node);
  }

  /**
   * Puts a subtree from another slot in the place of a node, whose own children were freed. The subtree counts as part of the node's
   * slot from then on: where this has no more statistics, its least promising leaves go without.
   */
  graft(node: number, subtree: number): void {
    const { nodes, leaves, plan } = this;
    const { values } = nodes;
    const slot = values[node + SLOT] as number;
    const from = values[subtree + SLOT] as number;
    this.visit(subtree, (each) => {
      values[each + SLOT] = slot;
      nodes.touch(each);
      this.add(from, NODES, -1);
      this.add(slot, NODES, 1);
      if (values[each + STATISTICS] === 0) return;
      this.count(from, (values[each + STATISTICS] as number) - 1, false);
      this.count(slot, (values[each + STATISTICS] as number) - 1, true);
      if (this.openOf(slot) > plan.openLeavesMax) this.close(slot, this.leastPromising(slot, each));
    });
    values.copyWithin(node, subtree, subtree + nodes.width);
    nodes.touch(node);
    this.paths.follow(node);
    const link = values[node + STATISTICS] as number;
    if (link !== 0) {
      leaves.values[link - 1] = node;
      leaves.touch(link - 1);
    }
    nodes.free(subtree);
    this.add(slot, NODES, -1);
  }

  private split(slot: number, leaf: number): void {
    const { kind } = this;
    const left = this.addNode(slot);
    const right = this.addNode(slot);
    const { values } = this.nodes;
    values[leaf + COORDINATE] = kind.best.coordinate;
    values[leaf + THRESHOLD] = kind.best.threshold;
    values[leaf + LEFT] = left + 1;
    values[leaf + RIGHT] = right + 1;
    this.paths.follow(leaf);
    kind.divide(leaf, left, right);
    // What the leaf knew is not asked for again, and zeros take no bytes of a checkpoint.
    values.fill(0, leaf + OWN, leaf + this.extra);
    values[leaf + TRIED_AT] = 0;
    this.close(slot, leaf);
    for (const child of [left, right]) {
      values[child + TRIED_AT] = kind.weightOf(child);
      this.open(slot, child);
    }
    if (this.isFull(slot) && !this.plan.isPruned) this.settle(slot);
  }

  /** Whether the tree in a slot has no room for the leaves of another split. */
  private isFull(slot: number): boolean {
    return this.nodesOf(slot) + 2 > this.plan.nodesMax;
  }

  /** No leaf of a slot splits any more: what only a split would ask for becomes 0, which takes no bytes of a checkpoint. */
  private settle(slot: number): void {
    for (const at of this.openLeaves[slot] as Set<number>) {
      const leaf = this.leaves.values[at] as number;
      this.nodes.values[leaf + TRIED_AT] = 0;
      this.nodes.touch(leaf);
      this.kind.settle?.(leaf);
      this.leaves.touch(at);
    }
  }

  private openOf(slot: number): number {
    return this.trees.values[HEAD + slot * TREE + OPEN] as number;
  }

  private addNode(slot: number): number {
    const node = this.nodes.allocate();
    this.nodes.values[node + SLOT] = slot;
    this.paths.follow(node);
    this.add(slot, NODES, 1);
    return node;
  }

  /** Gives a leaf statistics. Where the tree has no more of them, the leaf that could improve least goes without. */
  private open(slot: number, leaf: number): void {
    const { leaves, nodes, features } = this;
    if (this.openOf(slot) >= this.plan.openLeavesMax) {
      const least = this.leastPromising(slot, leaf);
      if (least === leaf) return;
      this.close(slot, least);
    }
    const at = leaves.allocate();
    nodes.values[leaf + STATISTICS] = at + 1;
    nodes.touch(leaf);
    leaves.values[at] = leaf;
    this.count(slot, at, true);
    this.draw();
    for (let n = 0; n < features.observed; n++) leaves.values[at + 1 + n] = this.drawn[n] as number;
  }

  private close(slot: number, leaf: number): void {
    const at = (this.nodes.values[leaf + STATISTICS] as number) - 1;
    this.leaves.free(at);
    this.nodes.values[leaf + STATISTICS] = 0;
    this.nodes.values[leaf + TRIED_AT] = 0;
    this.nodes.touch(leaf);
    this.count(slot, at, false);
  }

  /** Counts statistics among those of a slot, or no more. */
  private count(slot: number, at: number, isOpen: boolean): void {
    const own = this.openLeaves[slot] as Set<number>;
    if (isOpen) own.add(at);
    else own.delete(at);
    this.add(slot, OPEN, isOpen ? 1 : -1);
  }

  /** The leaf of a tree that could gain least from a split: this one, or an open one; of several the first in the arena. */
  private leastPromising(slot: number, leaf: number): number {
    const { leaves, kind } = this;
    let least = leaf;
    let leastAt = -1;
    let promise = kind.promiseOf(leaf);
    for (const at of this.openLeaves[slot] as Set<number>) {
      const other = leaves.values[at] as number;
      const own = kind.promiseOf(other);
      if (own > promise || (own === promise && at >= leastAt)) continue;
      least = other;
      leastAt = at;
      promise = own;
    }
    return least;
  }

  /** Draws the features that the next leaf observes: the first of `drawn`. */
  private draw(): void {
    const { drawn, trees, plan } = this;
    const { observed } = this.features;
    for (let i = 0; i < drawn.length; i++) drawn[i] = i;
    if (observed === drawn.length) return;
    const opened = trees.values[0] as number;
    trees.values[0] = opened + 1;
    trees.touch(0);
    for (let n = 0; n < observed; n++) {
      const other = n + Math.floor(chance(plan.seed, plan.slots + n, opened) * (drawn.length - n));
      const taken = drawn[other] as number;
      drawn[other] = drawn[n] as number;
      drawn[n] = taken;
    }
  }

  private add(slot: number, what: number, by: number): void {
    const at = HEAD + slot * TREE + what;
    this.trees.values[at] = (this.trees.values[at] as number) + by;
    this.trees.touch(at);
  }
}

/** A forest of one tree. */
export const oneTree = (forest: Forest): DenseLogic => ({
  predict: (row, into) => forest.predict(0, row, into),
  learn: (row, label, weight) => forest.learn(0, row, label, weight),
});
