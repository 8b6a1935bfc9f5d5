import { expect, it } from 'vitest';
import { accuracy, addAccuracy, emptyAccuracy, mergeAccuracy } from '../../../src/ml/metrics/index.js';

it('counts what was predicted right; a tie says no', () => {
  const sum = emptyAccuracy();
  addAccuracy(sum, 0.51, true);
  addAccuracy(sum, 0.5, true);
  addAccuracy(sum, 0.5, false);
  expect(sum).toEqual({ rows: 3, correct: 2 });
  const more = emptyAccuracy();
  addAccuracy(more, 0.1, true);
  expect(accuracy(mergeAccuracy(sum, more))).toBe(0.5);
});

it('is not a number over no rows', () => expect(accuracy(emptyAccuracy())).toBeNaN());
