import { describe, expect, it } from 'vitest';
import { poolRising } from '../../../src/ml/calibration/isotonic.js';
import { isotonic } from '../../../src/ml/index.js';
import { generator } from '../../random.js';
import { peers } from '../distributions/peers.js';

describe('isotonic', () => {
  it('pools what scikit-learn pools', () => {
    for (const { heights, weights, fitted } of peers.isotonic) {
      const numbers = Float64Array.from(heights);
      poolRising(numbers, weights);
      numbers.forEach((height, i) => {
        expect(height).toBeCloseTo(fitted[i] as number, 12);
      });
    }
  });

  it('changes nothing before the first label, but at the ends', () => {
    const { calibrate } = isotonic({ bins: 10 }).open(new Float64Array(30));
    for (const p of [0.05, 0.2, 0.512, 0.95]) expect(calibrate(p)).toBeCloseTo(p, 12);
    expect(calibrate(0)).toBe(0.05); // the middle of the first bin
    expect(calibrate(1)).toBe(0.95);
  });

  it('finds how often labels are true, whatever the bend is', () => {
    const next = generator(3);
    const truth = (p: number): number => (p < 0.5 ? p * p : Math.sqrt(p) - 0.2);
    const { learn, calibrate } = isotonic({ labels: 1e9 }).open(new Float64Array(60));
    for (let i = 0; i < 60_000; i++) {
      const p = next();
      learn(p, next() < truth(p), 1);
    }
    for (let p = 0.03; p < 1; p += 0.02) {
      if (Math.abs(p - 0.5) > 0.06) expect(Math.abs(calibrate(p) - truth(p))).toBeLessThan(0.04);
      expect(calibrate(p)).toBeGreaterThanOrEqual(calibrate(p - 0.02));
    }
  });

  it('forgets', () => {
    const { learn, calibrate } = isotonic({ bins: 2, labels: 100 }).open(new Float64Array(6));
    for (let i = 0; i < 1_000; i++) learn(0.25, i % 2 === 0, 1);
    expect(calibrate(0.25)).toBeCloseTo(0.5, 1);
    for (let i = 0; i < 1_000; i++) learn(0.25, false, 1);
    expect(calibrate(0.25)).toBeLessThan(0.01);
    expect(() => isotonic({ bins: 1 })).toThrow('isotonic: bins is 1');
  });
});
