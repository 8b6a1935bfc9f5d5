import { describe, expect, it } from 'vitest';
import { adaptiveRandomForest } from '../../../../src/ml/index.js';
import { modelCells, openLogic } from '../../../../src/ml/model.js';
import type { ArenaCell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { openCells } from '../../support.js';
import { accuracyOf, meanAccuracyOf, peerTrees, treeShapes, treeStreams } from '../../tree-rows.js';

const classes = [0, 1];

describe('adaptiveRandomForest', () => {
  it.each(['drifting', 'phishing'] as const)(
    'is as accurate as River’s over 20 seeds: %s',
    { timeout: 240_000 },
    (stream) => {
      const accuracy = meanAccuracyOf((seed) => adaptiveRandomForest({ classes, trees: 5, seed }), stream);
      expect(Math.abs(accuracy - (peerTrees.ensembles[`forest ${stream}`] as number))).toBeLessThan(0.005);
    },
  );

  it('replaces its trees after a change, and keeps to its bounds', () => {
    const options = { classes, trees: 3, nodesMax: 15, openLeavesMax: 5 };
    const learner = adaptiveRandomForest(options);
    const shape = treeShapes.drifting;
    const cells = openCells(modelCells(learner, shape));
    const model = openLogic(learner, shape, cells);
    const { nodes, leaves } = cells as { nodes: ArenaCell; leaves: ArenaCell };
    let most = 0;
    for (const { features, label } of treeStreams.drifting) {
      model.learnOne(features, label);
      most = Math.max(most, nodes.used);
      expect(nodes.used).toBeLessThanOrEqual(6 * 15);
      expect(leaves.used).toBeLessThanOrEqual(6 * 5);
    }
    expect(most).toBeGreaterThan(3 * 15); // others grew beside them
    const deaf = { warningDelta: 1e-300, driftDelta: 1e-300 };
    expect(accuracyOf(learner, 'drifting')).toBeGreaterThan(
      accuracyOf(adaptiveRandomForest({ ...options, ...deaf }), 'drifting') + 0.05,
    );
  });

  it('keeps the promises of a learner while its trees are replaced', () => {
    const quick = { trees: 2, gracePeriod: 8, delta: 0.5, nodesMax: 7, warningDelta: 0.9, driftDelta: 0.8 };
    const rows = treeStreams.mixed.slice(0, 120).map((row, i) => ({
      ...row,
      label: i % 100 < 64 ? row.label : 1 - row.label,
      weight: 1 + (i % 2),
    }));
    checkLearner(adaptiveRandomForest({ classes, ...quick }), rows, treeShapes.mixed);
  });

  it('draws otherwise with another seed, and only then', () => {
    const said = (seed: number) => {
      let sum = 0;
      accuracyOf(adaptiveRandomForest({ classes, trees: 2, seed }), 'phishing', (scores) => {
        sum += scores[1] as number;
      });
      return sum;
    };
    expect(said(1)).toBe(said(1));
    expect(said(1)).not.toBe(said(2));
  });

  it('says what it cannot be', () => {
    expect(() => adaptiveRandomForest({ classes, trees: 1.5 })).toThrow('trees and rowWeight are 1.5 and 6');
    expect(() => adaptiveRandomForest({ classes, rowWeight: 101 })).toThrow('trees and rowWeight are 10 and 101');
    expect(() => adaptiveRandomForest({ classes, driftDelta: 0 })).toThrow('driftDelta is 0');
    expect(() => adaptiveRandomForest({ classes }).cells({ denseSize: 1, hashedSize: 4 })).toThrow('hashed features');
  });
});
