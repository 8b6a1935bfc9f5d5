import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaGrad, chance, matrixFactorization, sgd } from '../../../../src/ml/index.js';
import type { Float64Cell } from '../../../../src/state/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { agreesWithPeer, type PeerRow } from '../../peers.js';
import { openCells, openLearner, vector } from '../../support.js';

/** Four users, then four items. */
const shape = { denseSize: 0, hashedSize: 8 };
const rating = ({ indices: [user = 0, item = 0] }: PeerRow) => vector([], [user % 4, 4 + (item % 4)]);

describe('matrixFactorization', () => {
  it.each([
    ['matrix factorization', sgd({ rate: 0.025 }), sgd({ rate: 0.02 })],
    ['matrix factorization l2', adaGrad({ rate: 0.1, l2: 0.01 }), sgd({ rate: 0.01, l2: 0.02 })],
  ])('predicts what River’s does: %s', (name, optimizer, factorOptimizer) => {
    const learner = matrixFactorization({ optimizer, factorOptimizer, factors: 3 });
    agreesWithPeer(name, learner, (row) => row.number, rating);
  });

  it('finds who likes what, beyond biases', () => {
    const model = openLearner(matrixFactorization({ optimizer: sgd({ rate: 0.05 }), factors: 4 }), shape);
    const stars = (user: number, item: number) => 3 + (user < 2 === item < 6 ? 2 : -2);
    let off = 0;
    for (let i = 0; i < 4_000; i++) {
      const user = Math.floor(4 * chance(3, 0, i));
      const item = 4 + Math.floor(4 * chance(3, 1, i));
      const row = vector([], [user, item]);
      if (i >= 3_000) off = Math.max(off, Math.abs(model.predictOne(row) - stars(user, item)));
      model.learnOne(row, stars(user, item));
    }
    expect(off).toBeLessThan(0.1);
    expect(model.predictOne(vector([]))).toBeCloseTo(3, 0); // the mean
  });

  it.each([
    [50, 0.2],
    [1_000, 0.2],
    [10_000, 0.2],
    [1e50, 1e6], // the mean still falls, and biases follow it from behind
  ])('finds its way back from one label of %d', (absurd, offMax) => {
    const wide = { denseSize: 0, hashedSize: 64 };
    const model = openLearner(matrixFactorization({ optimizer: sgd({ rate: 0.05, l2: 0.01 }), factors: 16 }), wide);
    const row = (i: number) => [Math.floor(32 * chance(3, 0, i)), 32 + Math.floor(32 * chance(3, 1, i))] as const;
    const stars = ([user, item]: readonly number[]) => 3 + (((user as number) + (item as number)) % 3);
    let off = 0;
    for (let i = 0; i < 30_000; i++) {
      const pair = row(i);
      if (i >= 29_000) off += Math.abs(model.predictOne(vector([], pair)) - stars(pair)) / 1_000;
      expect(model.learnOne(vector([], pair), i === 5_000 ? absurd : stars(pair))).toBe('learnt');
    }
    expect(off).toBeLessThan(offMax);
  });

  it.each([3, 1_000])(
    'hardly notices one label of 1e50 among labels from %d, with a slopeMax of their range',
    (least) => {
      const wide = { denseSize: 0, hashedSize: 64 };
      const optimizer = sgd({ rate: 0.05, l2: 0.01 });
      const model = openLearner(matrixFactorization({ optimizer, factors: 16, slopeMax: 8 }), wide);
      const row = (i: number) => [Math.floor(32 * chance(3, 0, i)), 32 + Math.floor(32 * chance(3, 1, i))] as const;
      const stars = ([user, item]: readonly number[]) => least + (((user as number) + (item as number)) % 3);
      let off = 0;
      for (let i = 0; i < 5_500; i++) {
        const pair = row(i);
        if (i > 5_000) off += Math.abs(model.predictOne(vector([], pair)) - stars(pair)) / 500;
        expect(model.learnOne(vector([], pair), i === 5_000 ? 1e50 : stars(pair))).toBe('learnt');
      }
      expect(off).toBeLessThan(0.1);
    },
  );

  it('does not count a row as learnt whose score is no number', () => {
    const learner = matrixFactorization({ optimizer: sgd({ rate: 0.05 }), factors: 2 });
    const cells = openCells(learner.cells(shape));
    const model = learner.open(cells as never, shape);
    (cells.weights as Float64Cell).values.fill(Number.NaN);
    expect(model.learnOne(vector([], [1, 5]), 3)).toBe('not-finite');
    expect((cells.mean as Float64Cell).values[0]).toBe(0);
  });

  it('keeps the promises of a learner', () => {
    const row = fc.record({
      user: fc.nat(3),
      item: fc.integer({ min: 4, max: 7 }),
      label: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (drawn) =>
        checkLearner(
          matrixFactorization({ optimizer: sgd({ rate: 0.05 }), factors: 3 }),
          drawn.map(({ user, item, label }) => ({ features: vector([], [user, item]), label })),
          shape,
        ),
      ),
      { numRuns: 15 },
    );
  });

  it('says what it cannot learn from', () => {
    const learner = matrixFactorization({ optimizer: sgd({ rate: 0.1 }) });
    expect(() => learner.cells({ denseSize: 1, hashedSize: 8 })).toThrow(
      'matrixFactorization: the view has dense features',
    );
    expect(openLearner(learner, shape).learnOne(vector([], [1, 5]), Number.NaN)).toBe('unusable-label');
  });

  it('refuses labels and weights that would end its mean', () => {
    const model = openLearner(matrixFactorization({ optimizer: sgd({ rate: 0.05 }) }), shape);
    const row = vector([], [1, 5]);
    model.learnOne(row, 3);
    for (const label of [1e308, -1e308]) expect(model.learnOne(row, label)).toBe('unusable-label');
    expect(model.learnOne(row, 3, 1e308)).toBe('unusable-weight');
    for (let i = 0; i < 500; i++) model.learnOne(row, 3);
    expect(model.predictOne(row)).toBeCloseTo(3, 6);
  });
});
