import { expect, it } from 'vitest';
import { classShares } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { both, hashedShape, peerClasses, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

it('says the share of each class among the labels', () => {
  const model = openLearner(classShares({ classes: ['a', 'b', 'c'] }), { denseSize: 1, hashedSize: 0 });
  expect(Array.from(model.predictOne(vector([1])))).toEqual([1 / 3, 1 / 3, 1 / 3]);
  model.learnOne(vector([1]), 'b', 3);
  model.learnOne(vector([2]), 'a');
  expect(Array.from(model.predictOne(vector([1])))).toEqual([0.25, 0.75, 0]);
  expect(model.learnOne(vector([1]), 'd' as 'a')).toBe('unknown-class');
});

it('keeps the promises of a learner, a weight being a count of rows', () => {
  const rows = peerRows.slice(0, 12).map((row) => ({ features: both(row), label: row.class }));
  checkLearner(classShares({ classes: peerClasses as readonly string[] }), rows, hashedShape, { weightIsCount: true });
});

it('refuses a weight beside which no other label would count', () => {
  const model = openLearner(classShares({ classes: ['a', 'b'] }), { denseSize: 1, hashedSize: 0 });
  for (const weight of [1e308, 1e308, 1e18]) expect(model.learnOne(vector([1]), 'a', weight)).toBe('unusable-weight');
  model.learnOne(vector([1]), 'b', 3);
  model.learnOne(vector([1]), 'a');
  expect(Array.from(model.predictOne(vector([1])))).toEqual([0.25, 0.75]);
});
