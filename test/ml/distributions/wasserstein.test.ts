import { describe, expect, it } from 'vitest';
import { wasserstein } from '../../../src/ml/distributions/index.js';
import { A, B, peers, weighted } from './peers.js';

describe('wasserstein', () => {
  it('is what SciPy says', () => {
    for (const { a, b, wasserstein: expected } of peers.numbers) {
      expect(wasserstein(weighted(a), weighted(b))).toBeCloseTo(expected, 12);
      expect(wasserstein(weighted(b), weighted(a))).toBeCloseTo(expected, 12);
    }
    expect(wasserstein(weighted(A), weighted(B))).toBeCloseTo(4.1625, 12);
  });

  it('is how far all values were moved, and has no value of no sample', () => {
    expect(wasserstein(weighted(A), weighted(A.map((x) => x + 3)))).toBeCloseTo(3, 12);
    expect(wasserstein(weighted(A), weighted(A))).toBe(0);
    expect(wasserstein(weighted([]), weighted(A))).toBeNaN();
  });
});
