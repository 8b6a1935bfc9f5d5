import { describe, expect, it } from 'vitest';
import { adaptiveRandomForestRegression, pipe, standardScaler } from '../../../../src/ml/index.js';
import { modelCells, openLogic } from '../../../../src/ml/model.js';
import type { ArenaCell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { openCells, openLearner, vector } from '../../support.js';
import { errorOf, numberStreams, peerTrees, treeShapes } from '../../tree-rows.js';

const meanErrorOf = (stream: 'bending' | 'approval') => {
  let sum = 0;
  for (let seed = 0; seed < 20; seed++)
    sum += errorOf(pipe(standardScaler(), adaptiveRandomForestRegression({ trees: 5, seed })), stream);
  return sum / 20;
};

describe('adaptiveRandomForestRegression', () => {
  it.each(['bending', 'approval'] as const)(
    'is as good as River’s over 20 seeds: %s',
    { timeout: 240_000 },
    (stream) => {
      expect(meanErrorOf(stream)).toBeLessThan((peerTrees.ensembles[`number forest ${stream}`] as number) * 1.005);
    },
  );

  it('replaces its trees after a change, and keeps to its bounds', () => {
    const options = { trees: 3, nodesMax: 15, openLeavesMax: 5, leafPrediction: 'mean' } as const;
    const shape = treeShapes.bending;
    // The labels jump by 50: by far more than the features make of them.
    const rows = numberStreams.bending.map(({ features, label }, i) => ({
      features,
      label: i < 1_500 ? label : 50 + label,
    }));
    const errorAfter = (learner: ReturnType<typeof adaptiveRandomForestRegression>) => {
      const cells = openCells(modelCells(learner, shape));
      const forest = openLogic(learner, shape, cells);
      const { nodes, leaves } = cells as { nodes: ArenaCell; leaves: ArenaCell };
      let most = 0;
      let sum = 0;
      rows.forEach(({ features, label }, i) => {
        if (i > 2_000) sum += Math.abs(forest.predictOne(features) - label);
        forest.learnOne(features, label);
        most = Math.max(most, nodes.used);
        expect(nodes.used).toBeLessThanOrEqual(6 * 15);
        expect(leaves.used).toBeLessThanOrEqual(6 * 5);
      });
      return { sum, most };
    };
    const heard = errorAfter(adaptiveRandomForestRegression(options));
    const deaf = errorAfter(adaptiveRandomForestRegression({ ...options, warningDelta: 1e-300, driftDelta: 1e-300 }));
    expect(heard.most).toBeGreaterThan(3 * 15); // others grew beside them
    expect(deaf.most).toBe(3 * 15);
    expect(heard.sum).toBeLessThan(deaf.sum / 2);
  });

  it('keeps the promises of a learner while its trees are replaced', () => {
    const quick = { trees: 2, gracePeriod: 8, delta: 0.5, nodesMax: 7, warningDelta: 0.9, driftDelta: 0.8, binsMax: 4 };
    const rows = numberStreams.priced
      .slice(0, 120)
      .map((row, i) => ({ ...row, label: i % 100 < 64 ? row.label : 9 - row.label, weight: 1 + (i % 2) }));
    checkLearner(adaptiveRandomForestRegression(quick), rows, treeShapes.priced);
  });

  it('predicts the median of its trees, whether their number is even or odd', () => {
    // A tree that has not learnt the only row says 0, the others 8: each learns it with a chance of one half.
    const saidBy = (trees: number, seed: number) => {
      const options = { trees, seed, rowWeight: Math.log(2), leafPrediction: 'mean' } as const;
      const model = openLearner(adaptiveRandomForestRegression(options), { denseSize: 1, hashedSize: 0 });
      model.learnOne(vector([1]), 8);
      return model.predictOne(vector([1]));
    };
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    expect(new Set(seeds.map((seed) => saidBy(5, seed)))).toEqual(new Set([0, 8]));
    expect(new Set(seeds.map((seed) => saidBy(4, seed)))).toEqual(new Set([0, 4, 8]));
  });

  it('draws otherwise with another seed, and only then', () => {
    const said = (seed: number) => errorOf(adaptiveRandomForestRegression({ trees: 2, seed }), 'approval');
    expect(said(1)).toBe(said(1));
    expect(said(1)).not.toBe(said(2));
  });

  it('says what it cannot be', () => {
    expect(() => adaptiveRandomForestRegression({ trees: 1.5 })).toThrow('trees and rowWeight are 1.5 and 6');
    expect(() => adaptiveRandomForestRegression({ driftDelta: 0 })).toThrow('driftDelta is 0');
    expect(() => adaptiveRandomForestRegression({ binsMax: 0.5 })).toThrow('binsMax and errorDecay are 0.5');
    const { cells } = adaptiveRandomForestRegression();
    expect(() => cells({ denseSize: 1, hashedSize: 4 })).toThrow('hashed features');
  });
});
