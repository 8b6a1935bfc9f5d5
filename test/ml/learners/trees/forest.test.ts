import { describe, expect, it, vi } from 'vitest';
import type { FeatureNumbers } from '../../../../src/core/index.js';
import { chance } from '../../../../src/ml/chance.js';
import { classLeaves } from '../../../../src/ml/learners/trees/class-leaves.js';
import { Forest, type ForestPlan, forestCells } from '../../../../src/ml/learners/trees/forest.js';
import {
  COORDINATE,
  LEFT,
  type LeafKind,
  OWN,
  STATISTICS,
  THRESHOLD,
  TRIED_AT,
} from '../../../../src/ml/learners/trees/leaves.js';
import type { ArenaCell, Float64Cell } from '../../../../src/state/index.js';

const shape = { denseSize: 3, hashedSize: 0 };
const leaves = classLeaves(2, { delta: 0.4, tieThreshold: 0.4, leafPrediction: 'adaptive' });
const slots = 6;
const plan: ForestPlan = { leaves, slots, featuresPerLeaf: 2, seed: 1, gracePeriod: 6, nodesMax: 21, openLeavesMax: 4 };

interface Cells {
  readonly trees: Float64Cell;
  readonly nodes: ArenaCell;
  readonly leaves: ArenaCell;
}

function openForest(of = plan): { cells: Cells; forest: Forest } {
  const specs = forestCells('forest', shape, of);
  const cells = { trees: specs.trees.open(), nodes: specs.nodes.open(), leaves: specs.leaves.open() };
  return { cells, forest: new Forest(cells, shape, of) };
}

const rowOf = (row: number): FeatureNumbers => ({
  dense: Float32Array.from({ length: 3 }, (_, i) => chance(1, i, row)),
  indices: new Uint32Array(0),
  values: new Float32Array(0),
});
const labelOf = ({ dense }: FeatureNumbers): number => ((dense[0] as number) + (dense[1] as number) > 1 ? 1 : 0);

/** Teaches rows, and drops a tree now and then. */
function grow(forest: Forest, from: number, rows: number): void {
  for (let i = from; i < from + rows; i++) {
    const row = rowOf(i);
    for (let slot = 0; slot < slots; slot++) forest.learn(slot, row, labelOf(row), 1);
    if (i % 150 === 149) forest.drop(i % slots);
  }
}

describe('Forest', () => {
  it('finds the leaf that the nodes say, while trees grow, are dropped and are opened again', () => {
    const { cells, forest } = openForest();
    for (let i = 0; i < 1_200; i += 50) {
      grow(forest, i, 50);
      const opened = new Forest(cells, shape, plan);
      for (let slot = 0; slot < slots; slot++)
        for (let j = 0; j < 10; j++) {
          const row = rowOf(10_000 + j);
          const root = (cells.trees.values[1 + 3 * slot] as number) - 1;
          let node = root;
          for (let below = root; below >= 0; below = forest.next(node, row)) node = below;
          expect(forest.leafIn(slot, row)).toBe(node);
          expect(opened.leafIn(slot, row)).toBe(node);
        }
    }
    expect(cells.nodes.used).toBeGreaterThan(slots * 10);
  });

  it('looks for leaves and nodes in their own tree alone: a tree costs the same in a large forest', () => {
    const { cells, forest } = openForest();
    const searches = [vi.spyOn(cells.nodes, 'next'), vi.spyOn(cells.leaves, 'next')];
    grow(forest, 0, 600);
    expect(cells.leaves.used).toBeGreaterThan(slots * 2);
    for (const search of searches) expect(search).not.toHaveBeenCalled();
  });

  it('keeps of a leaf that has split where rows go, and no more', () => {
    const { cells, forest } = openForest();
    const { nodes } = cells;
    grow(forest, 0, 600);
    let splits = 0;
    for (let node = nodes.next(0); node >= 0; node = nodes.next(node + 1)) {
      const numbers = nodes.values.subarray(node, node + nodes.width);
      if (numbers[LEFT] === 0) continue;
      splits += 1;
      expect(numbers[COORDINATE]).toBeLessThan(3);
      expect(numbers[THRESHOLD]).toBeGreaterThan(0);
      expect([...numbers.subarray(TRIED_AT)].every((n) => n === 0)).toBe(true);
    }
    expect(splits).toBeGreaterThan(slots * 4);
  });

  it('keeps of the leaves of a tree that has all its nodes what it predicts by, and no ranges that only a split would ask for', () => {
    const keeps = openForest({ ...plan, isPruned: true });
    const settles = openForest();
    for (const { forest } of [keeps, settles]) grow(forest, 0, 1_300);
    const said = [new Float64Array(2), new Float64Array(2)] as const;
    for (let slot = 0; slot < slots; slot++)
      for (let i = 0; i < 20; i++) {
        keeps.forest.predict(slot, rowOf(20_000 + i), said[0]);
        settles.forest.predict(slot, rowOf(20_000 + i), said[1]);
        expect(said[1]).toEqual(said[0]);
      }
    // Behind the node, two features and two counts: of a feature and a class mean, squares, least and greatest value.
    const ranges = ({ cells: { leaves, nodes }, forest }: typeof keeps) => {
      const found = { full: 0, growing: 0 };
      for (let at = leaves.next(0); at >= 0; at = leaves.next(at + 1)) {
        const node = leaves.values[at] as number;
        const numbers = leaves.values.subarray(at + 5, at + leaves.width);
        const kept = numbers.filter((_, n) => n % 4 > 1).reduce((sum, n) => sum + Math.abs(n), 0) > 0;
        const isFull = forest.nodesOf(forest.slotOf(node)) + 2 > plan.nodesMax;
        if (kept) found[isFull ? 'full' : 'growing'] += 1;
        if (isFull && !kept) expect(nodes.values[node + TRIED_AT]).toBe(0);
      }
      return found;
    };
    expect(ranges(settles).full).toBe(0);
    expect(ranges(settles).growing).toBeGreaterThan(0);
    expect(ranges(keeps).full).toBeGreaterThan(0);
  });

  it('grows on where a tree may have more nodes than before', () => {
    const wide = { ...plan, nodesMax: 61, openLeavesMax: 12 };
    const { cells } = openForest(wide);
    const narrow = new Forest(cells, shape, plan);
    grow(narrow, 0, 1_300);
    const full = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => narrow.nodesOf(slot) === 21);
    expect(full.length).toBeGreaterThan(0);
    const forest = new Forest(cells, shape, wide);
    for (let i = 2_000; i < 3_500; i++) for (const slot of full) forest.learn(slot, rowOf(i), labelOf(rowOf(i)), 1);
    for (const slot of full) expect(forest.nodesOf(slot)).toBeGreaterThan(31);
  });

  it('closes the leaf that promises least, the first one in the arena of several', () => {
    const promise = OWN;
    const kind: LeafKind = {
      outputs: 1,
      unknown: 0,
      structure: {},
      widths: () => ({ node: 1, statistics: 1 }),
      // Splits at each row; new leaves promise 9.
      open: ({ nodes }) => ({
        predict: () => undefined,
        learn: () => undefined,
        weightOf: () => 1,
        promiseOf: (node) => nodes.values[node + promise] as number,
        findSplit: () => true,
        best: { coordinate: 0, threshold: 0.5, merit: 1 },
        divide: (_node, left, right) => {
          for (const child of [left, right]) nodes.values[child + promise] = 9;
        },
      }),
    };
    const { cells, forest } = openForest({ ...plan, leaves: kind, gracePeriod: 0, openLeavesMax: 3 });
    const values = (at: number) => cells.leaves.values[at * cells.leaves.width] as number;
    const splitLeaf = (node: number) => forest.learnAt(node, rowOf(0), 0, 1);
    forest.plantedRoot(0);
    splitLeaf(values(0));
    splitLeaf(values(0)); // three open leaves; the second one in the arena was opened first
    const [first, second, third] = [values(0), values(1), values(2)];
    for (const node of [first, second]) cells.nodes.values[node + promise] = 2;
    splitLeaf(third);
    const isOpen = (node: number) => cells.nodes.values[node + STATISTICS] !== 0;
    expect([isOpen(first), isOpen(second), cells.leaves.used]).toEqual([false, true, 3]);
  });
});
