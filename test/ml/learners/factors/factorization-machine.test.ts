import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  adaGrad,
  chance,
  factorizationMachine,
  factorizationMachineRegression,
  ftrl,
  logisticRegression,
  momentum,
  sgd,
} from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { agreesWithPeer, both, type PeerRow } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const rows = { factors: 3, interceptRate: 0.01 };

describe('factorizationMachine', () => {
  it('predicts what River’s does', () => {
    const optimizer = sgd({ rate: 0.05 });
    const learner = factorizationMachine({ ...rows, optimizer, factorOptimizer: sgd({ rate: 0.02 }) });
    agreesWithPeer('factorization machine', learner, (row: PeerRow) => row.binary);
  });

  it('predicts what River’s does with weights and regularization', () => {
    const optimizer = adaGrad({ rate: 0.1, l2: 0.01 });
    const learner = factorizationMachine({ ...rows, optimizer, factorOptimizer: sgd({ rate: 0.05, l2: 0.02 }) });
    agreesWithPeer('factorization machine weighted', learner, (row: PeerRow) => row.binary, both, true);
  });

  it('learns what only a pair of features says, which a linear model cannot', () => {
    const shape = { denseSize: 0, hashedSize: 4 };
    const row = (i: number) => [chance(7, 0, i) < 0.5 ? 0 : 1, chance(7, 1, i) < 0.5 ? 2 : 3] as const;
    const rightOf = (learner: ReturnType<typeof factorizationMachine> | ReturnType<typeof logisticRegression>) => {
      const model = openLearner(learner, shape);
      let right = 0;
      for (let i = 0; i < 3_000; i++) {
        const [a, b] = row(i);
        const isAlike = a === b - 2;
        if (i >= 2_000 && model.predictOne(vector([], [a, b])) > 0.5 === isAlike) right += 1;
        model.learnOne(vector([], [a, b]), isAlike);
      }
      return right / 1_000;
    };
    const optimizer = sgd({ rate: 0.1 });
    expect(rightOf(factorizationMachine({ optimizer, factors: 2 }))).toBe(1);
    expect(rightOf(logisticRegression({ optimizer }))).toBeLessThan(0.6);
  });

  it.each([
    ['sgd', sgd({ rate: 0.1, l2: 0.01 })],
    ['adaGrad', adaGrad()],
  ])('keeps the promises of a learner: %s', (_name, factorOptimizer) => {
    const row = fc.record({
      dense: fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 2, maxLength: 2 }),
      indices: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
      label: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (drawn) =>
        checkLearner(
          factorizationMachine({ optimizer: ftrl({ alpha: 0.1 }), factorOptimizer, factors: 3 }),
          drawn.map(({ dense, indices, label }) => ({ features: vector(dense, indices), label })),
          { denseSize: 2, hashedSize: 8 },
        ),
      ),
      { numRuns: 15 },
    );
  });

  it('says which option cannot be', () => {
    const optimizer = ftrl({ alpha: 0.1 });
    expect(() => factorizationMachine({ optimizer })).toThrow('factors is 10, and factorOptimizer is ftrl');
    expect(() => factorizationMachine({ optimizer, factorOptimizer: sgd({ rate: 1 }), factors: 1.5 })).toThrow(
      'factors is 1.5, and factorOptimizer is sgd',
    );
    expect(() => factorizationMachine({ optimizer: sgd({ rate: 1 }), spread: -1 })).toThrow('spread is -1');
  });
});

describe('factorizationMachineRegression', () => {
  it('predicts what River’s does', () => {
    const learner = factorizationMachineRegression({
      ...rows,
      optimizer: sgd({ rate: 0.01 }),
      factorOptimizer: sgd({ rate: 0.005 }),
      slopeMax: 3,
    });
    agreesWithPeer('factorization machine regression', learner, (row: PeerRow) => row.number);
  });

  it.each([
    ['sgd', sgd({ rate: 0.05 })],
    ['momentum', momentum({ rate: 0.005 })],
  ])('finds its way back from one row of 100: %s', (_name, optimizer) => {
    const model = openLearner(factorizationMachineRegression({ optimizer, factors: 8 }), {
      denseSize: 2,
      hashedSize: 0,
    });
    for (let i = 0; i < 20_000; i++) {
      const [a, b] = i === 2_000 ? [100, 100] : [chance(5, 0, i), chance(5, 1, i)];
      expect(model.learnOne(vector([a, b]), a - b)).toBe('learnt');
    }
    expect(model.predictOne(vector([0.9, 0.1]))).toBeCloseTo(0.8, 1);
  });

  it('refuses labels that are no numbers', () => {
    const model = openLearner(factorizationMachineRegression({ optimizer: sgd({ rate: 0.1 }) }), {
      denseSize: 1,
      hashedSize: 0,
    });
    expect(model.learnOne(vector([1]), Number.NaN)).toBe('unusable-label');
  });
});
