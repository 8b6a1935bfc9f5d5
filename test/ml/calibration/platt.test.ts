import { describe, expect, it } from 'vitest';
import { platt } from '../../../src/ml/index.js';
import { generator } from '../../random.js';
import { peers } from '../distributions/peers.js';

const logit = (p: number): number => Math.log(p / (1 - p));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('platt', () => {
  it('changes nothing before the first label', () => {
    const { calibrate } = platt().open(new Float64Array(5));
    for (const p of [1e-6, 0.2, 0.5, 0.97]) expect(calibrate(p)).toBeCloseTo(p, 12);
    expect(calibrate(0)).toBeLessThan(1e-6);
    expect(calibrate(1)).toBeGreaterThan(1 - 1e-6);
  });

  it('finds in one pass what scikit-learn finds of all labels', () => {
    for (const { said, labels, slope, intercept } of peers.platt) {
      const values = new Float64Array(5);
      const { learn, calibrate } = platt({ labels: 1e9 }).open(values);
      for (const [i, p] of said.entries()) learn(p, labels[i] === 1, 1);
      expect(Math.abs(1 + (values[0] as number) - slope)).toBeLessThan(0.06);
      expect(Math.abs((values[1] as number) - intercept)).toBeLessThan(0.06);
      for (const p of [0.05, 0.4, 0.9])
        expect(Math.abs(calibrate(p) - sigmoid(slope * logit(p) + intercept))).toBeLessThan(0.02);
    }
  });

  it('follows a change within as many labels as it is told', () => {
    const next = generator(5);
    const rateAfter = (labels: number): number => {
      const { learn, calibrate } = platt({ labels }).open(new Float64Array(5));
      for (let i = 0; i < 8_000; i++) learn(0.3, next() < (i < 6_000 ? 0.3 : 0.6), 1);
      return calibrate(0.3);
    };
    expect(rateAfter(500)).toBeGreaterThan(0.55);
    expect(rateAfter(1e9)).toBeLessThan(0.5);
  });

  it.each([0.3, 1e-7, 0.999])('finds its way back from one label of the greatest weight, at %s', (p) => {
    const next = generator(7);
    const { learn, calibrate } = platt({ labels: 1_000 }).open(new Float64Array(5));
    learn(p, p < 0.5, 1e12);
    for (let i = 0; i < 6_000; i++) {
      const said = next();
      learn(said, next() < said, 1);
    }
    expect(Math.abs(calibrate(0.8) - 0.8)).toBeLessThan(0.1);
  });

  it('keeps the order of predictions, also of a model that says the contrary', () => {
    const next = generator(2);
    const { learn, calibrate } = platt().open(new Float64Array(5));
    for (let i = 0; i < 3_000; i++) {
      const p = next();
      learn(p, next() > p, 1);
    }
    expect(calibrate(0.2)).toBeLessThan(calibrate(0.8));
  });

  it('counts a label by its weight', () => {
    const [once, twice] = [new Float64Array(5), new Float64Array(5)];
    platt().open(once).learn(0.3, true, 1);
    platt().open(twice).learn(0.3, true, 2);
    expect(twice[1] as number).toBeGreaterThan(once[1] as number);
    expect(() => platt({ labels: 0 })).toThrow('platt: labels is 0');
  });
});
