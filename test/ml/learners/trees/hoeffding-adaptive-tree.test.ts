import { describe, expect, it } from 'vitest';
import { hoeffdingAdaptiveTree, hoeffdingTree } from '../../../../src/ml/index.js';
import { LEFT, OWN, RIGHT, STATISTICS } from '../../../../src/ml/learners/trees/leaves.js';
import { modelCells, openLogic } from '../../../../src/ml/model.js';
import type { ArenaCell, Float64Cell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { openCells } from '../../support.js';
import { accuracyOf, meanAccuracyOf, peerTrees, treeShapes, treeStreams } from '../../tree-rows.js';

const classes = [0, 1];
/** Where a node has the link of the subtree beside it: behind what the leaves of two classes keep. */
const ALTERNATE = OWN + 2 + classes.length;

/** 12,000 rows whose classes are exchanged, where a number is below one half, in each second period of so many of them. */
const turning = (period: number) =>
  [...treeStreams.mixed, ...treeStreams.mixed].map(({ features, label }, i) => {
    const isTurned = Math.floor(i / period) % 2 === 1 && (features.dense[9] as number) < 0.5;
    return { features, label: isTurned ? 1 - label : label };
  });

/** The nodes and the open leaves that can be reached from a node. */
function reached(nodes: ArenaCell, node: number): { nodes: number; open: number } {
  const sum = { nodes: 1, open: nodes.values[node + STATISTICS] === 0 ? 0 : 1 };
  for (const link of [LEFT, RIGHT, ALTERNATE]) {
    const below = nodes.values[node + link] as number;
    if (below === 0) continue;
    const more = reached(nodes, below - 1);
    sum.nodes += more.nodes;
    sum.open += more.open;
  }
  return sum;
}

function run(
  learner: ReturnType<typeof hoeffdingAdaptiveTree<number>>,
  period: number,
  each: (cells: Record<string, unknown>, row: number) => void = () => {},
) {
  const rows = turning(period);
  const shape = treeShapes.mixed;
  const cells = openCells(modelCells(learner, shape));
  const model = openLogic(learner, shape, cells);
  let right = 0;
  rows.forEach(({ features, label }, i) => {
    const scores = model.predictOne(features);
    if ((scores[1] as number) > 0.5 === (label === 1)) right++;
    model.learnOne(features, label);
    each(cells, i);
  });
  return right / rows.length;
}

describe('hoeffdingAdaptiveTree', () => {
  it.each([
    ['drifting', 'adaptive tree', {}],
    ['phishing', 'adaptive tree', {}],
    ['drifting', 'quick adaptive tree', { gracePeriod: 50, delta: 0.01 }],
    ['phishing', 'quick adaptive tree', { gracePeriod: 50, delta: 0.01 }],
  ] as const)('is as accurate as River’s over 20 seeds: %s, %s', { timeout: 120_000 }, (stream, name, options) => {
    const accuracy = meanAccuracyOf((seed) => hoeffdingAdaptiveTree({ classes, seed, ...options }), stream);
    expect(Math.abs(accuracy - (peerTrees.ensembles[`${name} ${stream}`] as number))).toBeLessThan(0.005);
  });

  it.each([
    [3, 20],
    [5, 600],
    [7, 150],
    [31, 20],
  ])('loses no node and keeps to its bounds while parts are replaced: %d nodes', (nodesMax, comparedRowsMin) => {
    const openLeavesMax = Math.ceil(nodesMax / 3);
    const nervous = { driftDelta: 0.5, switchDelta: 1.9, comparedRowsMin };
    const options = { classes, gracePeriod: 20, delta: 0.3, nodesMax, openLeavesMax, ...nervous };
    const changes = { grew: 0, went: 0 };
    let had = 0;
    run(hoeffdingAdaptiveTree(options), 400, (cells, row) => {
      const { nodes, leaves, trees } = cells as { nodes: ArenaCell; leaves: ArenaCell; trees: Float64Cell };
      const [, root = 0, main = 0, mainOpen = 0, , beside = 0, besideOpen = 0] = Array.from(trees.values);
      expect(Math.max(main, beside)).toBeLessThanOrEqual(nodesMax);
      expect(Math.max(mainOpen, besideOpen)).toBeLessThanOrEqual(openLeavesMax);
      if (beside > had) changes.grew++;
      if (beside < had) changes.went++;
      had = beside;
      if (row % 50 > 0) return;
      expect(reached(nodes, root - 1)).toEqual({ nodes: nodes.used, open: leaves.used });
      expect([nodes.used, leaves.used]).toEqual([main + beside, mainOpen + besideOpen]);
      for (let at = leaves.next(0); at >= 0; at = leaves.next(at + 1))
        expect(nodes.values[(leaves.values[at] as number) + STATISTICS]).toBe(at + 1);
    });
    expect(changes.grew).toBeGreaterThan(5);
    expect(changes.went).toBeGreaterThan(5);
  });

  it('replaces the parts that have become wrong', () => {
    const options = { classes, gracePeriod: 50, delta: 0.01, nodesMax: 31 };
    const deaf = run(hoeffdingAdaptiveTree({ ...options, driftDelta: 1e-300 }), 3_000);
    expect(run(hoeffdingAdaptiveTree(options), 3_000)).toBeGreaterThan(deaf + 0.02);
  });

  it('keeps the promises of a learner while subtrees take the places of others', { timeout: 120_000 }, () => {
    const quick = { gracePeriod: 8, delta: 0.5, nodesMax: 9, openLeavesMax: 3 };
    const nervous = { driftDelta: 0.9, switchDelta: 1.9, comparedRowsMin: 4 };
    const rows = treeStreams.mixed.slice(0, 300).map((row, i) => ({
      ...row,
      label: i % 256 < 128 ? row.label : 1 - row.label,
      weight: 1 + (i % 2),
    }));
    checkLearner(hoeffdingAdaptiveTree({ classes, ...quick, ...nervous }), rows, treeShapes.mixed);
  });

  it('draws otherwise with another seed, and only then', () => {
    const said = (seed: number) => {
      let sum = 0;
      accuracyOf(hoeffdingAdaptiveTree({ classes, seed }), 'phishing', (scores) => {
        sum += scores[1] as number;
      });
      return sum;
    };
    expect(said(1)).toBe(said(1));
    expect(said(1)).not.toBe(said(2));
  });

  it('is better than a tree that does not forget, after a change', () => {
    const rigid = accuracyOf(hoeffdingTree({ classes }), 'drifting');
    expect(accuracyOf(hoeffdingAdaptiveTree({ classes }), 'drifting')).toBeGreaterThan(rigid + 0.01);
  });

  it('says what it cannot be', () => {
    expect(() => hoeffdingAdaptiveTree({ classes: [1] })).toThrow('classes are 1');
    expect(() => hoeffdingAdaptiveTree({ classes, driftDelta: 0 })).toThrow('driftDelta is 0');
    expect(() => hoeffdingAdaptiveTree({ classes }).cells({ denseSize: 1, hashedSize: 4 })).toThrow('hashed features');
  });
});
