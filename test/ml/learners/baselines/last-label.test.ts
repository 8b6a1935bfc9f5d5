import { expect, it } from 'vitest';
import { lastLabel } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { both, hashedShape, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

it('says the last label', () => {
  const model = openLearner(lastLabel(), { denseSize: 1, hashedSize: 0 });
  expect(model.predictOne(vector([1]))).toBe(0);
  for (const label of [3, -8]) model.learnOne(vector([1]), label);
  expect(model.learnOne(vector([1]), Number.POSITIVE_INFINITY)).toBe('unusable-label');
  expect(model.predictOne(vector([5]))).toBe(-8);
});

it('keeps the promises of a learner', () => {
  const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.number }));
  checkLearner(lastLabel(), rows, hashedShape, { weightIsCount: true });
});
