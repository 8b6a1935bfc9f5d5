import { expect, it } from 'vitest';
import { progressive } from '../../src/evaluate/progressive.js';
import { linearRegression, sgd } from '../../src/ml/index.js';
import { featureVector } from '../../src/testing.js';

it('tells baselines the labels that the model learns, with their weights', () => {
  const learner = linearRegression({ optimizer: sgd({ rate: 0.01 }) });
  const validation = progressive(learner, { denseSize: 1, hashedSize: 0 }, ['mae']);
  const mae = () => validation.result().baselines['running-mean']?.mae;
  validation.add(featureVector([Number.NaN]), 0); // refused
  validation.add(featureVector([1]), 0, { weight: 3 });
  validation.add(featureVector([1]), 8);
  expect(mae()).toBeCloseTo(8 / 5, 12);
  validation.add(featureVector([1]), 2); // the mean of 0, 0, 0 and 8
  expect(mae()).toBeCloseTo(8 / 6, 12);
});
