import { expect, it } from 'vitest';
import { logisticRegression, pipe, sgd, standardScaler } from '../../../src/ml/index.js';
import { agreesWithPeer, onlyDense } from '../peers.js';
import { openLearner, vector } from '../support.js';

const model = logisticRegression({ optimizer: sgd({ rate: 0.1 }), interceptRate: 0.01 });

it('gives a model the standard deviations that River gives it', () => {
  agreesWithPeer('standard scaler', pipe(standardScaler(), model), ({ binary }) => binary, onlyDense);
});

it('takes a row of weight 2 for two rows', () => {
  const shape = { denseSize: 1, hashedSize: 0 };
  const scale = () => {
    const cells = { scales: standardScaler().cells(shape).scales.open() };
    return standardScaler().open(cells, shape);
  };
  const [weighted, repeated] = [scale(), scale()];
  for (const [x, weight] of [
    [1, 2],
    [4, 1],
    [-2, 2],
  ] as const) {
    weighted.stageOne(vector([x]), weight);
    weighted.commit();
    for (let i = 0; i < weight; i++) {
      repeated.stageOne(vector([x]), 1);
      repeated.commit();
    }
  }
  const [a, b] = [weighted, repeated].map((each) => each.transformOne(vector([3])).dense[0] as number);
  expect(a).toBeCloseTo(b as number, 12);
  expect(a).toBeCloseTo((3 - 0.4) / Math.sqrt(5.04), 12); // of 1, 1, 4, -2, -2
});

it('is 0 while a feature has not varied', () => {
  const piped = openLearner(pipe(standardScaler(), model), { denseSize: 1, hashedSize: 0 });
  piped.learnOne(vector([5]), true);
  expect(piped.predictOne(vector([7]))).toBe(piped.predictOne(vector([5])));
});
