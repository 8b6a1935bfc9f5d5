import { describe, expect, it } from 'vitest';
import { jensenShannon } from '../../../src/ml/distributions/index.js';
import { peers } from './peers.js';

describe('jensenShannon', () => {
  it('is what SciPy says in bits', () => {
    for (const { a, b, jensenShannon: expected } of peers.counts) {
      expect(jensenShannon(a, b)).toBeCloseTo(expected, 12);
      expect(jensenShannon(b, a)).toBeCloseTo(expected, 12);
    }
    expect(jensenShannon([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8])).toBeCloseTo(0.0817342133, 10);
  });

  it('lies between 0 and 1', () => {
    expect(jensenShannon([1, 2, 3], [2, 4, 6])).toBe(0);
    expect(jensenShannon([1, 2, 0], [0, 0, 6])).toBe(1);
    expect(jensenShannon([0, 0], [1, 1])).toBeNaN();
  });
});
