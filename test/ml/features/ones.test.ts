import { expect, it } from 'vitest';
import { areOnes, areShared, onesOf } from '../../../src/ml/features/ones.js';

it('gives arrays of one length as one array', () => {
  for (const count of [0, 1, 8, 1_024]) {
    expect(onesOf(count)).toStrictEqual(new Float32Array(count).fill(1));
    expect(onesOf(count)).toBe(onesOf(count));
    expect(areShared(onesOf(count), count)).toBe(true);
  }
});

it('keeps no long array', () => {
  expect(onesOf(1_025)).toStrictEqual(new Float32Array(1_025).fill(1));
  expect(areShared(onesOf(1_025), 1_025)).toBe(false);
});

it('tells ones from others by their numbers, however they were made', () => {
  expect(areOnes(onesOf(3), 3)).toBe(true);
  expect(areOnes(Float32Array.of(1, 1, 1), 3)).toBe(true);
  expect(areOnes(Float64Array.of(1, 1, 2), 2)).toBe(true);
  expect(areOnes(Float64Array.of(1, 1, 1 + Number.EPSILON), 3)).toBe(false);
  expect(areOnes(Float32Array.of(1, Number.NaN), 2)).toBe(false);
});
