import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../src/util/normal.js';

describe('normalCdf', () => {
  it('gives the shares below z that Python gives', () => {
    const expected: readonly (readonly [number, number])[] = [
      [-15, 3.6709661993128594e-51],
      [-8, 6.220960574271819e-16],
      [-3, 0.0013498980316300957],
      [-1.5, 0.06680720126885809],
      [-1, 0.15865525393145707],
      [-0.2, 0.420740290560897],
      [0.3, 0.6179114221889526],
      [1, 0.8413447460685429],
      [2, 0.9772498680518208],
      [5, 0.9999997133484281],
    ];
    for (const [z, share] of expected) expect(Math.abs(normalCdf(z) - share) / share).toBeLessThan(1e-13);
    expect([normalCdf(0), normalCdf(40), normalCdf(-40)]).toEqual([0.5, 1, expect.closeTo(0, 300)]);
  });
});
