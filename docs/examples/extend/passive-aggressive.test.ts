import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLearner, featureVector, openLearner } from 'millrace/testing';
import { passiveAggressive } from './passive-aggressive.js';

const shape = { denseSize: 2, hashedSize: 16 };
// True where the first feature outweighs the second: a line can tell.
const rows = [
  [1, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [2, 0.5],
  [0.5, 2],
].map(([a = 0, b = 0], index) => ({ features: featureVector([a, b], [2 + index, 10]), label: a > b }));

test('passiveAggressive keeps the contract of learners', () => checkLearner(passiveAggressive(), rows, shape));

test('passiveAggressive moves the weights as far as a margin of 1 needs, and no farther', () => {
  const learner = openLearner(passiveAggressive(), { denseSize: 1, hashedSize: 0 });
  const marginOf = (x: number) => {
    const p = learner.predictOne(featureVector([x]));
    return Math.log(p / (1 - p));
  };
  learner.learnOne(featureVector([2]), true); // |x|² = 1 + 4: step 1/5 on both weights
  assert.ok(Math.abs(marginOf(2) - 1) < 1e-9);
  assert.ok(Math.abs(marginOf(0) - 0.2) < 1e-9);
  learner.learnOne(featureVector([2]), true); // on the right side by 1: passive
  assert.ok(Math.abs(marginOf(0) - 0.2) < 1e-9);
});

test('passiveAggressive separates what a line can separate', () => {
  const learner = openLearner(passiveAggressive(), shape);
  for (let round = 0; round < 20; round++) for (const { features, label } of rows) learner.learnOne(features, label);
  for (const { features, label } of rows) assert.equal(learner.predictOne(features) > 0.5, label);
});

test('passiveAggressive refuses a step that would learn nothing, or the opposite', () => {
  for (const aggressiveness of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => passiveAggressive({ aggressiveness }), { code: 'config', message: /aggressiveness is / });
});
