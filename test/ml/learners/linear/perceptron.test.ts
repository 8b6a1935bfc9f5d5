import { describe, expect, it } from 'vitest';
import { perceptron, pipe, standardScaler } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { phishing, progressive } from '../../data.js';
import { agreesWithPeer, both, hashedShape, peerRows } from '../../peers.js';
import { openLearner } from '../../support.js';

const binaryOf = ({ binary }: { binary: boolean }) => binary;

describe('perceptron', () => {
  it('gives the accuracy of River’s documentation with its scaler', () => {
    const model = openLearner(pipe(standardScaler(), perceptron()), { denseSize: 9, hashedSize: 0 });
    expect(progressive(model).accuracy).toBe(0.8584);
    expect(phishing).toHaveLength(1_250);
  });

  it('predicts what River predicts', () => agreesWithPeer('perceptron', perceptron(), binaryOf));

  it('keeps the promises of a learner', () => {
    const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.binary }));
    checkLearner(perceptron(), rows, hashedShape);
  });
});
