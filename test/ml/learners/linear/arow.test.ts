import { describe, expect, it } from 'vitest';
import type { FeatureVector } from '../../../../src/core/index.js';
import { arow, pipe, standardScaler } from '../../../../src/ml/index.js';
import type { Float64Cell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { phishing, progressive } from '../../data.js';
import { both, hashedShape, peerRows } from '../../peers.js';
import { openCells, openLearner, vector } from '../../support.js';

/** The figure of the paper with matrices, whose covariance is cut to its diagonal after each row. */
function byThePaper(size: number, r: number) {
  const mu = new Array<number>(size).fill(0);
  let sigma: number[][] = mu.map((_, i) => mu.map((_, j) => (i === j ? 1 : 0)));
  const times = (x: readonly number[]) =>
    sigma.map((line) => line.reduce((sum, s, j) => sum + s * (x[j] as number), 0));
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, each, i) => sum + each * (b[i] as number), 0);
  return {
    score: (x: readonly number[]) => dot(mu, x),
    learn(x: readonly number[], y: number) {
      const sx = times(x);
      const margin = y * dot(mu, x);
      if (margin >= 1) return;
      const beta = 1 / (dot(x, sx) + r);
      const alpha = Math.max(0, 1 - margin) * beta;
      mu.forEach((m, i) => {
        mu[i] = m + alpha * y * (sx[i] as number);
      });
      sigma = sigma.map((line, i) =>
        line.map((s, j) => (i === j ? s - beta * (sx[i] as number) * (sx[j] as number) : 0)),
      );
    },
  };
}

const inputOf = ({ dense, indices }: FeatureVector): number[] => {
  const x = [1, ...dense, ...new Array<number>(8).fill(0)];
  for (const index of indices) x[5 + index] = 1;
  return x;
};

describe('arow', () => {
  it.each([0.5, 10])('agrees with the matrices of the paper, r = %s', (regularization) => {
    const model = openLearner(arow({ regularization }), hashedShape);
    const paper = byThePaper(13, regularization);
    for (const row of peerRows) {
      const features = both(row);
      expect(model.predictOne(features)).toBeCloseTo(1 / (1 + Math.exp(-paper.score(inputOf(features)))), 11);
      model.learnOne(features, row.binary);
      paper.learn(inputOf(features), row.binary ? 1 : -1);
    }
  });

  it('outdoes the majority on phishing pages by far', () => {
    const model = openLearner(pipe(standardScaler(), arow()), { denseSize: 9, hashedSize: 0 });
    expect(progressive(model, phishing).accuracy).toBeGreaterThan(0.88);
  });

  it('keeps the promises of a learner', () => {
    const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.binary }));
    checkLearner(arow(), rows, hashedShape);
  });

  it('keeps a variance above 0, which stands for a coordinate that was never seen', () => {
    const shape = { denseSize: 1, hashedSize: 0 };
    const learner = arow({ regularization: 1e-20 });
    const cells = openCells(learner.cells(shape));
    const model = learner.open(cells as never, shape);
    for (let i = 0; i < 50; i++) {
      model.learnOne(vector([i % 3 ? 1e3 : 0]), i % 2 === 0);
      expect((cells.weights as Float64Cell).values[1]).toBeGreaterThan(0);
    }
  });
});
