import { describe, expect, it } from 'vitest';
import { psi } from '../../../src/ml/distributions/index.js';
import { generator } from '../../random.js';
import { peers } from './peers.js';

describe('psi', () => {
  it('is the sum that defines it', () => {
    for (const { a, b, psi: expected } of peers.counts) expect(psi(a, b)).toBeCloseTo(expected, 12);
    expect(psi([10, 20, 30, 25, 15], [5, 15, 30, 30, 20])).toBeCloseTo(0.0725416441, 10);
    expect(psi([1, 1, 1, 1], [0, 1, 1, 2])).toBeCloseTo(2.1285158933, 10);
    expect(psi([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8])).toBeCloseTo(0.0372183816, 10);
    expect(psi([1, 2], [0, 0])).toBeNaN();
  });

  it('is by chance what its docstring says', () => {
    const next = generator(1);
    const draw = (rows: number): number[] => {
      const bins = new Array<number>(10).fill(0);
      for (let i = 0; i < rows; i++) {
        const bin = Math.floor(10 * next());
        bins[bin] = (bins[bin] as number) + 1;
      }
      return bins;
    };
    const [n, m] = [1_000, 2_000];
    const found = Array.from({ length: 300 }, () => psi(draw(n), draw(m)));
    const mean = found.reduce((sum, x) => sum + x, 0) / found.length;
    const expected = (1 / n + 1 / m) * 9; // nine degrees of freedom
    expect(mean).toBeGreaterThan(0.9 * expected);
    expect(mean).toBeLessThan(1.1 * expected);
  });
});
