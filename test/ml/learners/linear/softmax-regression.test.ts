import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaGrad, adam, logisticRegression, sgd, softmaxRegression } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { phishing } from '../../data.js';
import { agreesWithPeer, peerClasses } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const classOf = ({ class: label }: { class: string }) => label;
// River's has no intercept: one that moves at a rate of 0 stays 0.
const options = { classes: peerClasses as readonly string[], interceptRate: 0 };

describe('softmax regression', () => {
  it('predicts what River predicts, once that knows the classes', () => {
    agreesWithPeer('softmax sgd', softmaxRegression({ ...options, optimizer: sgd({ rate: 0.1 }) }), classOf);
    agreesWithPeer('softmax adaGrad', softmaxRegression({ ...options, optimizer: adaGrad({ rate: 0.2 }) }), classOf);
  });

  it('is logistic regression at half the rate where there are two classes', () => {
    const shape = { denseSize: 9, hashedSize: 0 };
    const two = openLearner(softmaxRegression({ classes: [false, true], optimizer: sgd({ rate: 0.05 }) }), shape);
    const one = openLearner(logisticRegression({ optimizer: sgd({ rate: 0.1 }) }), shape);
    for (const { features, label } of phishing) {
      expect(two.predictOne(features)[1]).toBeCloseTo(one.predictOne(features), 12);
      two.learnOne(features, label);
      one.learnOne(features, label);
    }
  });

  it('keeps the promises of a learner', () => {
    const row = fc.record({
      features: fc
        .tuple(
          fc.array(fc.float({ min: -9, max: 9, noNaN: true }), { minLength: 2, maxLength: 2 }),
          fc.uniqueArray(fc.nat(127), { maxLength: 5 }),
        )
        .map(([dense, indices]) => vector(dense, indices)),
      label: fc.constantFrom(...peerClasses),
    });
    for (const optimizer of [sgd({ rate: 0.1 }), adam({ rate: 0.1 })]) {
      const learner = softmaxRegression({ classes: peerClasses, optimizer });
      fc.assert(
        fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) =>
          checkLearner(learner, rows, { denseSize: 2, hashedSize: 128 }),
        ),
        { numRuns: 10 },
      );
    }
  });

  it('refuses a class that was not declared, and classes that are none', () => {
    const learner = softmaxRegression({ classes: ['a', 'b'], optimizer: sgd({ rate: 0.1 }) });
    const model = openLearner(learner, { denseSize: 1, hashedSize: 0 });
    expect(model.learnOne(vector([1]), 'c' as 'a')).toBe('unknown-class');
    expect(Array.from(model.predictOne(vector([1])))).toEqual([0.5, 0.5]);
    expect(() => softmaxRegression({ classes: ['a', 'a'], optimizer: sgd({ rate: 0.1 }) })).toThrow('classes are a, a');
  });
});
