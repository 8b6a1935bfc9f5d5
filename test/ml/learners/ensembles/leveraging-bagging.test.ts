import { describe, expect, it } from 'vitest';
import { leveragingBagging } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { accuracyOf, meanAccuracyOf, peerTrees, treeShapes, treeStreams } from '../../tree-rows.js';

const classes = [0, 1];

describe('leveragingBagging', () => {
  it('is as accurate as River’s over 20 seeds', { timeout: 240_000 }, () => {
    const accuracy = meanAccuracyOf((seed) => leveragingBagging({ classes, trees: 3, seed }), 'phishing');
    expect(Math.abs(accuracy - (peerTrees.ensembles['bagging phishing'] as number))).toBeLessThan(0.005);
  });

  it('replaces its worst tree after a change', () => {
    const options = { classes, trees: 3 };
    const deaf = accuracyOf(leveragingBagging({ ...options, driftDelta: 1e-300 }), 'drifting');
    expect(accuracyOf(leveragingBagging(options), 'drifting')).toBeGreaterThan(deaf + 0.01);
  });

  it('keeps the promises of a learner while its trees are replaced', () => {
    const quick = { trees: 2, gracePeriod: 8, delta: 0.5, nodesMax: 7, driftDelta: 0.9 };
    const rows = treeStreams.mixed.slice(0, 120).map((row, i) => ({
      ...row,
      label: i % 100 < 64 ? row.label : 1 - row.label,
      weight: 1 + (i % 2),
    }));
    checkLearner(leveragingBagging({ classes, ...quick }), rows, treeShapes.mixed);
  });

  it('says what it cannot be', () => {
    expect(() => leveragingBagging({ classes, trees: 0 })).toThrow('trees is 0');
    expect(() => leveragingBagging({ classes, driftDelta: -1 })).toThrow('driftDelta is -1');
  });
});
