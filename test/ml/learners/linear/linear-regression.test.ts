import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adam, linearRegression, pipe, sgd, standardScaler } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { trumpApproval } from '../../data.js';
import { agreesWithPeer } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const numberOf = ({ number }: { number: number }) => number;

describe('linear regression', () => {
  it('gives the mean absolute error of River’s documentation with its scaler', () => {
    const learner = pipe(standardScaler(), linearRegression({ optimizer: sgd({ rate: 0.01 }), interceptRate: 0.1 }));
    const model = openLearner(learner, { denseSize: 6, hashedSize: 0 });
    let sum = 0;
    for (const { features, label } of trumpApproval) {
      sum += Math.abs(model.predictOne(features) - label);
      model.learnOne(features, label);
    }
    expect(trumpApproval).toHaveLength(1_001);
    expect(sum / trumpApproval.length).toBeCloseTo(0.558735, 6);
  });

  it('predicts what River predicts, whatever an error costs', () => {
    const options = { optimizer: sgd({ rate: 0.01 }), interceptRate: 0.01 };
    const faster = { ...options, optimizer: sgd({ rate: 0.05 }) };
    agreesWithPeer('linear squared', linearRegression(options), numberOf);
    agreesWithPeer('linear absolute', linearRegression({ ...faster, loss: 'absolute' }), numberOf);
    agreesWithPeer('linear huber', linearRegression({ ...faster, loss: 'huber', huberWidth: 1.5 }), numberOf);
    const byAdam = linearRegression({ ...options, optimizer: adam({ rate: 0.1 }) });
    agreesWithPeer('linear adam weighted', byAdam, numberOf, undefined, true);
  });

  it('keeps the promises of a learner', () => {
    const row = fc.record({
      features: fc
        .tuple(
          fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 2 }),
          fc.uniqueArray(fc.nat(7)),
        )
        .map(([dense, indices]) => vector(dense, indices)),
      label: fc.double({ min: -100, max: 100, noNaN: true }),
    });
    const learner = linearRegression({ optimizer: sgd({ rate: 0.01 }) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (rows) =>
        checkLearner(learner, rows, { denseSize: 2, hashedSize: 8 }),
      ),
      { numRuns: 15 },
    );
  });

  it('refuses a label that is not a finite number', () => {
    const model = openLearner(linearRegression({ optimizer: sgd({ rate: 0.01 }) }), { denseSize: 1, hashedSize: 0 });
    for (const label of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(model.learnOne(vector([1]), label)).toBe('unusable-label');
    expect(model.predictOne(vector([1]))).toBe(0);
  });
});
