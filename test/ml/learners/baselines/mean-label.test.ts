import { expect, it } from 'vitest';
import { meanLabel } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { both, hashedShape, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

it('says the weighted mean of the labels', () => {
  const model = openLearner(meanLabel(), { denseSize: 1, hashedSize: 0 });
  expect(model.predictOne(vector([1]))).toBe(0);
  model.learnOne(vector([1]), 3);
  model.learnOne(vector([Number.NaN]), 9, 2);
  expect(model.predictOne(vector([5]))).toBeCloseTo(7, 12);
  expect(model.learnOne(vector([1]), Number.NaN)).toBe('unusable-label');
});

it('keeps the promises of a learner, a weight being a count of rows', () => {
  const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.number }));
  checkLearner(meanLabel(), rows, hashedShape, { weightIsCount: true });
});

it('refuses a label or a weight that would end the mean', () => {
  const model = openLearner(meanLabel(), { denseSize: 1, hashedSize: 0 });
  model.learnOne(vector([1]), 3);
  for (const label of [1e308, -1e308, 1.01e50]) expect(model.learnOne(vector([1]), label)).toBe('unusable-label');
  for (const weight of [1e308, 1e18, 1.01e12]) expect(model.learnOne(vector([1]), 9, weight)).toBe('unusable-weight');
  model.learnOne(vector([1]), 5);
  expect(model.predictOne(vector([1]))).toBe(4);
});
