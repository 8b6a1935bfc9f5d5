import { describe, expect, it } from 'vitest';
import type { FeatureNumbers } from '../../../../src/core/index.js';
import { hoeffdingTree } from '../../../../src/ml/index.js';
import { modelCells, openLogic } from '../../../../src/ml/model.js';
import type { ArenaCell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { openCells, openLearner, vector } from '../../support.js';
import { accuracyOf, peerTrees, type TreeStream, treeShapes, treeStreams } from '../../tree-rows.js';

const peerNames = { majority: 'mc', 'naive-bayes': 'nb', adaptive: 'nba' } as const;
const classes = [0, 1, 2];

describe('hoeffdingTree', () => {
  it.each(Object.keys(treeStreams) as TreeStream[])('predicts what River predicts: %s', (stream) => {
    // In River, the class that was seen first wins a tie.
    const own = [...new Set(treeStreams[stream].map(({ label }) => label))];
    for (const leafPrediction of ['majority', 'naive-bayes', 'adaptive'] as const) {
      const peer = peerTrees.trees[`${stream} ${peerNames[leafPrediction]}`];
      if (!peer) throw new Error(`the golden file has no ${stream}`);
      const options = { gracePeriod: 99.5, delta: 0.01, tieThreshold: 0.1, leafPrediction };
      const accuracy = accuracyOf(hoeffdingTree({ classes: own, ...options }), stream, (scores, row) => {
        if (row % 50 !== 49) return;
        own.forEach((label, place) => {
          const of = peer.sampled[(row - 49) / 50]?.[label] as number;
          expect(Math.abs((scores[place] as number) - of), `${leafPrediction}, row ${row}`).toBeLessThan(1e-9);
        });
      });
      expect(Math.abs(accuracy - peer.accuracy)).toBeLessThan(0.002);
    }
  });

  it('keeps to its bounds: closes the least promising leaves, then splits no more', () => {
    const stream = treeStreams.numbers;
    const shape = treeShapes.numbers;
    const options = { classes, gracePeriod: 20, delta: 0.5, tieThreshold: 0.3, nodesMax: 25, openLeavesMax: 4 };
    const learner = hoeffdingTree(options);
    const cells = openCells(modelCells(learner, shape));
    const model = openLogic(learner, shape, cells);
    const { nodes, leaves } = cells as { nodes: ArenaCell; leaves: ArenaCell };
    let closed = 0;
    for (const { features, label } of stream) {
      model.learnOne(features, label);
      expect(nodes.used).toBeLessThanOrEqual(25);
      expect(leaves.used).toBeLessThanOrEqual(4);
      closed = Math.max(closed, (nodes.used + 1) / 2 - leaves.used);
    }
    expect(nodes.used).toBe(25);
    expect(closed).toBe(9);
    expect(accuracyOf(learner, 'numbers')).toBeGreaterThan(0.88);
  });

  it('keeps the promises of a learner while it splits and closes leaves', () => {
    const grown = { gracePeriod: 8, delta: 0.5, tieThreshold: 0.5, nodesMax: 9, openLeavesMax: 2 };
    for (const leafPrediction of ['majority', 'adaptive'] as const)
      for (const stream of ['numbers', 'mixed'] as const) {
        const rows = treeStreams[stream].slice(0, 80).map((row, i) => ({ ...row, weight: 1 + (i % 3) / 2 }));
        checkLearner(hoeffdingTree({ classes, ...grown, leafPrediction }), rows, treeShapes[stream]);
      }
  });

  it('learns huge numbers and constant ones, and says why it refuses the rest', () => {
    const model = openLearner(hoeffdingTree({ classes: ['a', 'b'], gracePeriod: 10 }), { denseSize: 2, hashedSize: 0 });
    const row = (...dense: number[]): FeatureNumbers => ({ ...vector([]), dense: Float64Array.from(dense) });
    expect(Array.from(model.predictOne(row(1, 1)))).toEqual([0.5, 0.5]);
    for (let i = 0; i < 500; i++) model.learnOne(row(i % 2 ? 1e49 : -1e49, 7), i % 2 ? 'a' : 'b');
    expect(model.predictOne(row(1e49, 7))[0]).toBeGreaterThan(0.99);
    for (const x of [1e300, Number.POSITIVE_INFINITY, Number.NaN]) {
      const scores = model.predictOne(row(x, -x));
      expect((scores[0] as number) + (scores[1] as number)).toBeCloseTo(1, 12);
    }
    expect(model.learnOne(row(1e51, 0), 'a')).toBe('too-large');
    expect(model.learnOne(row(Number.NaN, 0), 'a')).toBe('not-finite');
    expect(model.learnOne(row(0, 0), 'c' as 'a')).toBe('unknown-class');
    expect(model.learnOne(row(0, 0), 'a', 0)).toBe('unusable-weight');
    expect(model.learnOne(row(0, 0), 'a', 1.1e12)).toBe('unusable-weight');
    for (let i = 0; i < 50; i++) expect(model.learnOne(row(i, -i), i % 2 ? 'a' : 'b', 1e12)).toBe('learnt');
    const scores = model.predictOne(row(1, 1));
    expect((scores[0] as number) + (scores[1] as number)).toBeCloseTo(1, 12);
  });

  it('says what it cannot be', () => {
    expect(() => hoeffdingTree({ classes: ['a'] })).toThrow('classes are a');
    expect(() => hoeffdingTree({ classes, delta: 1 })).toThrow('delta, nodesMax and openLeavesMax are 1, 1000 and 250');
    expect(() => hoeffdingTree({ classes, nodesMax: 2.5 })).toThrow('hoeffdingTree: delta, nodesMax');
    expect(() => hoeffdingTree({ classes }).cells({ denseSize: 1, hashedSize: 4 })).toThrow('hashed features');
  });
});
