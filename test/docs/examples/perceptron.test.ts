import { describe, expect, it } from 'vitest';
import { checkLearner } from '../../../src/testing/learner-contract.js';
import { openLearner, vector } from '../../ml/support.js';
import { perceptron } from './perceptron.js';

const shape = { denseSize: 2, hashedSize: 16 };
// Late where the first feature outweighs the second: a line can tell.
const rows = [
  [1, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [2, 0.5],
  [0.5, 2],
].map(([a = 0, b = 0], index) => ({ features: vector([a, b], [2 + index, 10]), label: a > b }));

describe('perceptron', () => {
  it('keeps the learner contract', () => checkLearner(perceptron({ rate: 0.1 }), rows, shape));

  it('separates what a line can separate', () => {
    const learner = openLearner(perceptron({ rate: 0.1 }), shape);
    for (let round = 0; round < 20; round++) for (const { features, label } of rows) learner.learnOne(features, label);
    for (const { features, label } of rows) expect(learner.predictOne(features) > 0.5).toBe(label);
  });
});
