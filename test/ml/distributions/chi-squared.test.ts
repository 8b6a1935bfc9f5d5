import { describe, expect, it } from 'vitest';
import { chiSquaredTail } from '../../../src/ml/distributions/chi-squared.js';
import { chiSquared } from '../../../src/ml/distributions/index.js';
import { peers } from './peers.js';

describe('chiSquared', () => {
  it('is what SciPy says of a table of contingency', () => {
    for (const { a, b, chiSquared: expected } of peers.counts) {
      const { statistic, freedom, probability } = chiSquared(a, b);
      expect(statistic / expected[0]).toBeCloseTo(1, 12);
      expect(freedom).toBe(expected[1]);
      expect(probability).toBeCloseTo(expected[2], 12);
      expect(chiSquared(b, a).statistic / expected[0]).toBeCloseTo(1, 12);
    }
    const published = chiSquared([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]);
    expect(published.statistic).toBeCloseTo(1.622409, 6);
    expect(published).toMatchObject({ freedom: 5, probability: expect.closeTo(0.8985262, 7) });
  });

  it('has the tail of SciPy’s chi2.sf for thousands of degrees of freedom', () => {
    for (const [statistic, freedom, tail] of [
      [1400, 1400, 0.4949737599443175],
      [1420, 1401, 0.3557252341430868],
      [1489, 1400, 0.04844711663202883],
      [1500, 1500, 0.4951441933357679],
      [1600, 1601, 0.5023511245209518],
      [2000, 1999, 0.4894866615843932],
      [5000, 5000, 0.4973403788923451],
      [5300, 4999, 0.0015454305133311241],
      [4800, 5000, 0.9783403121346367],
      [1000, 999, 0.48513148927490146],
      [10, 5000, 1.0],
    ] as const)
      expect(chiSquaredTail(statistic, freedom) / tail, `${statistic}, ${freedom}`).toBeCloseTo(1, 9);
    expect(chiSquaredTail(30_000, 4)).toBe(0);
  });

  it('has the tail of tables, and no value of an empty side', () => {
    // Critical values of printed tables.
    for (const [statistic, freedom, tail] of [
      [3.841458820694124, 1, 0.05],
      [5.991464547107979, 2, 0.05],
      [11.344866730144373, 3, 0.01],
      [124.3421134, 100, 0.05],
    ] as const)
      expect(chiSquaredTail(statistic, freedom)).toBeCloseTo(tail, 8);
    expect(chiSquaredTail(30, 1)).toBeCloseTo(4.320463e-8, 13);
    expect(chiSquared([3, 0], [5, 0])).toEqual({ statistic: 0, freedom: 0, probability: 1 });
    expect(chiSquared([0, 0], [5, 1]).statistic).toBeNaN();
  });
});
