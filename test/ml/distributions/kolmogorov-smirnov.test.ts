import { describe, expect, it } from 'vitest';
import { kolmogorovSmirnov } from '../../../src/ml/distributions/index.js';
import { A, B, peers, weighted } from './peers.js';

describe('kolmogorovSmirnov', () => {
  it('is what SciPy says', () => {
    for (const { a, b, kolmogorovSmirnov: expected } of peers.numbers) {
      expect(kolmogorovSmirnov(weighted(a), weighted(b))).toBeCloseTo(expected, 12);
      expect(kolmogorovSmirnov(weighted(b), weighted(a))).toBeCloseTo(expected, 12);
    }
    expect(kolmogorovSmirnov(weighted(A), weighted(B))).toBe(0.625);
  });

  it('counts weights, is 0 of equal samples, and has no value of none', () => {
    const twice = { values: [1, 2, 5], weights: [2, 4, 6] };
    expect(kolmogorovSmirnov(twice, { values: [1, 2, 5], weights: [1, 2, 3] })).toBe(0);
    expect(kolmogorovSmirnov(twice, { values: [9], weights: [1] })).toBe(1);
    expect(kolmogorovSmirnov(twice, weighted([]))).toBeNaN();
  });
});
