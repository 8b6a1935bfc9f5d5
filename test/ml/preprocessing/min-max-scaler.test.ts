import { expect, it } from 'vitest';
import { logisticRegression, minMaxScaler, pipe, sgd } from '../../../src/ml/index.js';
import { agreesWithPeer, onlyDense } from '../peers.js';
import { vector } from '../support.js';

it('gives a model the ranges that River gives it', () => {
  const model = logisticRegression({ optimizer: sgd({ rate: 0.1 }), interceptRate: 0.01 });
  agreesWithPeer('min-max scaler', pipe(minMaxScaler(), model), ({ binary }) => binary, onlyDense);
});

it('lets a value lie beyond the range so far', () => {
  const shape = { denseSize: 1, hashedSize: 0 };
  const scaler = minMaxScaler().open({ scales: minMaxScaler().cells(shape).scales.open() }, shape);
  expect(scaler.transformOne(vector([3])).dense[0]).toBe(0);
  for (const x of [2, 4]) {
    scaler.stageOne(vector([x]), 1);
    scaler.commit();
  }
  expect([1, 2, 3, 6].map((x) => scaler.transformOne(vector([x])).dense[0])).toEqual([-0.5, 0, 0.5, 2]);
});

it('keeps the range where the next row weighs so much that earlier ones vanish in the sum', () => {
  const shape = { denseSize: 1, hashedSize: 0 };
  const scaler = minMaxScaler().open({ scales: minMaxScaler().cells(shape).scales.open() }, shape);
  for (const [x, weight] of [
    [2, 1e-6],
    [4, 1e-6],
    [3, 1e12],
  ] as const) {
    scaler.stageOne(vector([x]), weight);
    scaler.commit();
  }
  expect(scaler.transformOne(vector([3])).dense[0]).toBe(0.5);
  expect(scaler.stageOne(vector([3]), 1e17)).toBe('unusable-weight');
});
