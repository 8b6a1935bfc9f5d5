import { describe, expect, it } from 'vitest';
import { passiveAggressive, passiveAggressiveRegression, pipe, standardScaler } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { progressive } from '../../data.js';
import { agreesWithPeer, both, hashedShape, onlyDense, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const binaryOf = ({ binary }: { binary: boolean }) => binary;
const numberOf = ({ number }: { number: number }) => number;
const variants = ['I', 'II'] as const;

describe('passive-aggressive classification', () => {
  it.each([
    ['I', 0.8424],
    ['II', 0.8528],
  ] as const)('PA-%s is right on phishing pages as often as it is known to be', (variant, accuracy) => {
    const learner = pipe(standardScaler(), passiveAggressive({ variant }));
    expect(progressive(openLearner(learner, { denseSize: 9, hashedSize: 0 })).accuracy).toBe(accuracy);
  });

  it.each(variants)('PA-%s predicts what River predicts', (variant) => {
    agreesWithPeer(`passive-aggressive ${variant}`, passiveAggressive({ aggressiveness: 0.3, variant }), binaryOf);
  });

  it('leaves the weights alone where a row is on its side by 1', () => {
    const model = openLearner(passiveAggressive({ aggressiveness: 10 }), { denseSize: 1, hashedSize: 0 });
    const score = (x: number) => {
      const p = model.predictOne(vector([x]));
      return Math.log(p / (1 - p));
    };
    model.learnOne(vector([2]), true); // |x|² = 4: the step is 1/4, the weight 1/2, the intercept 1/4
    expect(score(2)).toBeCloseTo(1.25, 12);
    model.learnOne(vector([2]), true);
    expect(score(2)).toBeCloseTo(1.25, 12);
    model.learnOne(vector([2]), false);
    expect(score(2)).toBeLessThan(-1);
  });

  it.each(variants)('PA-%s keeps the promises of a learner', (variant) => {
    const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.binary }));
    checkLearner(passiveAggressive({ variant }), rows, hashedShape);
  });
});

describe('passive-aggressive regression', () => {
  it.each(variants)('PA-%s predicts what scikit-learn predicts', (variant) => {
    const learner = passiveAggressiveRegression({ aggressiveness: 0.3, variant, tolerance: 0.2 });
    agreesWithPeer(`passive-aggressive regression ${variant}`, learner, numberOf, onlyDense);
  });

  it.each(variants)('PA-%s keeps the promises of a learner', (variant) => {
    const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.number }));
    checkLearner(passiveAggressiveRegression({ variant }), rows, hashedShape);
  });
});
