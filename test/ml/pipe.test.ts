import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transformer } from '../../src/core/index.js';
import { logisticRegression, minMaxScaler, pipe, robustScaler, sgd, standardScaler } from '../../src/ml/index.js';
import { checkLearner } from '../../src/testing.js';
import { openCells, openLearner, vector } from './support.js';

const shape = { denseSize: 2, hashedSize: 4 };
const model = (featureMax?: number) =>
  logisticRegression({ optimizer: sgd({ rate: 0.1 }), ...(featureMax === undefined ? {} : { featureMax }) });
const row = fc.record({
  features: fc
    .tuple(
      fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 2, maxLength: 2 }),
      fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
    )
    .map(([dense, indices]) => vector(dense, indices)),
  label: fc.boolean(),
});

describe('pipe', () => {
  it('gives the learner what the transformers make of a row, learnt before', () => {
    const piped = openLearner(pipe(minMaxScaler(), model()), shape);
    const plain = openLearner(model(), shape);
    expect(piped.learnOne(vector([3, 5]), true)).toBe('learnt');
    plain.learnOne(vector([0, 0]), true);
    piped.learnOne(vector([4, 1], [2]), false); // the ranges are 3 to 4 and 1 to 5 by now
    plain.learnOne(vector([1, 0], [2]), false);
    expect(piped.predictOne(vector([3.25, 7], [2]))).toBe(plain.predictOne(vector([0.25, 1.5], [2])));
  });

  it('changes no part where one refuses', () => {
    // The scaler takes the row, the learner does not: 3 standard deviations are too many for it.
    const learner = pipe(standardScaler(), model(1));
    const cells = openCells(learner.cells(shape));
    const logic = learner.open(cells, shape);
    const bits = () =>
      Object.values(cells).map((cell) => Array.from((cell as never as { values: Float64Array }).values));
    for (const x of [-1, 1]) logic.learnOne(vector([x, 0]), true);
    const before = bits();
    expect(logic.learnOne(vector([100, 0]), true)).toBe('too-large');
    expect(logic.learnOne(vector([Number.NaN, 0]), true)).toBe('not-finite');
    expect(bits()).toEqual(before);
  });

  it('lets a transformer change the shape', () => {
    const onlyFirst: Transformer = {
      kind: 'only-first',
      settings: {},
      shapeOf: () => ({ denseSize: 1, hashedSize: 0 }),
      cells: () => ({}),
      open: () => {
        const transformOne = ({ dense }: { dense: ArrayLike<number> }) => vector([dense[0] as number]);
        return { transformOne, stageOne: transformOne, commit() {} };
      },
    };
    const logic = openLearner(pipe(onlyFirst, standardScaler(), model()), shape);
    logic.learnOne(vector([1, 9], [3]), true);
    expect(logic.predictOne(vector([1, 100], [2]))).toBe(logic.predictOne(vector([1, 0])));
  });

  it('says its parts', () => {
    expect(pipe(standardScaler(), model())).toMatchObject({
      kind: 'pipe(standard-scaler, logistic-regression)',
      output: 'probability',
      settings: { optimizer: 'sgd', rate: 0.1 },
    });
  });

  it.each([
    ['standard-scaler', standardScaler],
    ['min-max-scaler', minMaxScaler],
    ['robust-scaler', robustScaler],
  ])('keeps the promises of a learner with a %s', (_name, scaler) => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 15 }), (rows) =>
        checkLearner(pipe(scaler(), pipe(scaler(), model())), rows, shape),
      ),
      { numRuns: 15 },
    );
  });
});
