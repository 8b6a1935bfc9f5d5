import { describe, expect, it } from 'vitest';
import { bernoulliBayes } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { agreesWithPeer, denseShape, onlyDense, peerClasses, peerRows } from '../../peers.js';

const classes = peerClasses as readonly string[];
const classOf = ({ class: label }: { class: string }) => label;

describe('bernoulliBayes', () => {
  it('predicts what scikit-learn predicts, weighted or not', () => {
    agreesWithPeer('bernoulli', bernoulliBayes({ classes, smoothing: 0.5, threshold: 0.25 }), classOf, onlyDense);
    agreesWithPeer('bernoulli weighted', bernoulliBayes({ classes }), classOf, onlyDense, true);
  });

  it('keeps the promises of a learner, a weight being a count of rows', () => {
    const rows = peerRows.slice(0, 15).map((row) => ({ features: onlyDense(row), label: row.class }));
    checkLearner(bernoulliBayes({ classes }), rows, denseShape, { weightIsCount: true });
  });

  it('refuses views with hashed features', () => {
    expect(() => bernoulliBayes({ classes: ['a', 'b'] }).cells({ denseSize: 1, hashedSize: 4 })).toThrow(
      'bernoulliBayes: the view has hashed features',
    );
  });
});
