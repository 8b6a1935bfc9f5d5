import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calibrated,
  ftrl,
  gaussianBayes,
  isotonic,
  linearRegression,
  logisticRegression,
  pipe,
  platt,
  sgd,
  standardScaler,
} from '../../../src/ml/index.js';
import { modelCells } from '../../../src/ml/model.js';
import { checkLearner } from '../../../src/testing.js';
import { phishing } from '../data.js';
import { openLearner, vector } from '../support.js';

const shape = { denseSize: 2, hashedSize: 4 };
const model = logisticRegression({ optimizer: sgd({ rate: 0.1 }), featureMax: 100 });
const calibrators = { platt: platt({ labels: 50 }), isotonic: isotonic({ bins: 5, labels: 50 }) } as const;
const names = Object.keys(calibrators) as (keyof typeof calibrators)[];
const row = fc.record({
  features: fc
    .tuple(
      fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 2, maxLength: 2 }),
      fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
    )
    .map(([dense, indices]) => vector(dense, indices)),
  label: fc.boolean(),
});

describe('calibrated', () => {
  it.each(names)('keeps the promises of a learner with %s, alone and in a pipe', (name) => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 15 }), (rows) => {
        checkLearner(calibrated(model, calibrators[name]), rows, shape);
        checkLearner(pipe(standardScaler(), calibrated(model, calibrators[name])), rows, shape);
      }),
      { numRuns: 10 },
    );
  });

  it.each(names)('calibrates each class, by %s', (name) => {
    const classes = ['a', 'b', 'c'] as const;
    const learner = calibrated(gaussianBayes({ classes }), calibrators[name]);
    const classRow = fc.record({
      features: fc
        .array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 2, maxLength: 2 })
        .map((dense) => vector(dense)),
      label: fc.constantFrom(...classes),
    });
    const dense = { denseSize: 2, hashedSize: 0 };
    fc.assert(
      fc.property(fc.array(classRow, { minLength: 1, maxLength: 12 }), (rows) => checkLearner(learner, rows, dense)),
      { numRuns: 8 },
    );
    const logic = openLearner(learner, dense);
    expect([...logic.predictOne(vector([1, 2]))]).toEqual([1 / 3, 1 / 3, 1 / 3].map((x) => expect.closeTo(x, 10)));
  });

  it('learns of what the learner says before it knows the label', () => {
    const values = new Float64Array(5);
    const calibration = platt().open(values);
    const plain = openLearner(model, shape);
    const whole = openLearner(calibrated(model, platt()), shape);
    for (let i = 0; i < 30; i++) {
      const features = vector([i % 3, i % 5], [i % 4]);
      const label = i % 3 === 0;
      expect(whole.predictOne(features)).toBe(calibration.calibrate(plain.predictOne(features)));
      calibration.learn(plain.predictOne(features), label, 1 + (i % 2));
      plain.learnOne(features, label, 1 + (i % 2));
      whole.learnOne(features, label, 1 + (i % 2));
    }
  });

  it.each(names)('mends a model that is too sure, by %s', (name) => {
    // The weights of a fast learner swing: its probabilities are near 0 and 1.
    const wild = logisticRegression({ optimizer: sgd({ rate: 20 }) });
    const mended = calibrated(wild, name === 'platt' ? platt() : isotonic());
    const lossOf = (learner: typeof wild | typeof mended): number => {
      const logic = openLearner<boolean, number>(learner as typeof mended, { denseSize: 9, hashedSize: 0 });
      let loss = 0;
      for (const { features, label } of phishing) {
        const p = Math.min(1 - 1e-6, Math.max(1e-6, logic.predictOne(features)));
        loss -= Math.log(label ? p : 1 - p);
        logic.learnOne(features, label);
      }
      return loss / phishing.length;
    };
    expect(lossOf(mended)).toBeLessThan(0.5 * lossOf(wild));
  });

  it('changes nothing by a row that the learner refuses', () => {
    const logic = openLearner(calibrated(model, isotonic()), shape);
    const features = vector([1, 2]);
    logic.learnOne(features, true);
    const before = logic.predictOne(features);
    expect(logic.learnOne(vector([1e4, 0]), true)).toBe('too-large');
    expect(logic.predictOne(features)).toBe(before);
  });

  it.each(names)('refuses a weight that would end a calibration, for a learner that takes it too: %s', (name) => {
    const careless: typeof model = {
      ...model,
      open: () => ({ predictOne: () => 0.3, learnOne: () => 'learnt' }),
    };
    const logic = openLearner(calibrated(careless, calibrators[name]), shape);
    const features = vector([1, 2]);
    logic.learnOne(features, true);
    const before = logic.predictOne(features);
    for (const weight of [1e308, 1e308, 1e18, Number.NaN])
      expect(logic.learnOne(features, true, weight)).toBe('unusable-weight');
    expect(logic.predictOne(features)).toBe(before);
  });

  it('says what it is, and what it cannot be', () => {
    const learner = calibrated(logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) }), isotonic({ bins: 7 }));
    expect(learner).toMatchObject({
      kind: 'calibrated(logistic-regression, isotonic)',
      output: 'probability',
      settings: { optimizer: 'ftrl', 'calibration.bins': 7 },
      structure: { 'calibration.bins': 7 },
    });
    expect(Object.keys(modelCells(learner, shape))).toContain('calibration');
    expect(() => calibrated(linearRegression({ optimizer: sgd({ rate: 1 }) }) as never, platt())).toThrow(
      "linear-regression gives 'number', which cannot be calibrated",
    );
  });
});
