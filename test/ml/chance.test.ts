import { describe, expect, it } from 'vitest';
import { poisson } from '../../src/ml/chance.js';
import { chance } from '../../src/ml/index.js';

describe('chance', () => {
  it('draws the same numbers for ever', () => {
    expect([chance(1, 0, 1), chance(1, 0, 2), chance(1, 1, 1), chance(2, 0, 1)]).toMatchInlineSnapshot(`
      [
        0.0637915835250169,
        0.6457512201741338,
        0.2845705896615982,
        0.8951207958161831,
      ]
    `);
  });

  it('tells updates apart beyond 32 bits', () => {
    expect(chance(1, 0, 5)).not.toBe(chance(1, 0, 5 + 2 ** 32));
  });

  it('is even, and members do not go together', () => {
    const bins = new Array<number>(16).fill(0);
    let together = 0;
    const draws = 64_000;
    for (let update = 1; update <= draws; update++) {
      const [a, b] = [chance(7, 0, update), chance(7, 1, update)];
      bins[Math.floor(a * 16)] = (bins[Math.floor(a * 16)] as number) + 1;
      together += (a - 0.5) * (b - 0.5);
    }
    // Chi-squared with 15 degrees of freedom: beyond 44.3 once in ten thousand times.
    const chiSquared = bins.reduce((sum, count) => sum + (count - draws / 16) ** 2 / (draws / 16), 0);
    expect(chiSquared).toBeLessThan(44.3);
    expect(Math.abs((together / draws) * 12)).toBeLessThan(4 / Math.sqrt(draws));
  });

  it('becomes numbers of a Poisson distribution', () => {
    const timesOf = poisson(6);
    expect([0, 0.0024, 0.0026, 0.5, 0.9999, 1 - 2 ** -32].map(timesOf)).toEqual([0, 0, 1, 6, 17, 27]);
    const draws = 20_000;
    const drawn = Array.from({ length: draws }, (_, update) => timesOf(chance(3, 0, update)));
    const mean = drawn.reduce((sum, k) => sum + k, 0) / draws;
    const variance = drawn.reduce((sum, k) => sum + (k - mean) ** 2, 0) / draws;
    expect(Math.abs(mean - 6)).toBeLessThan(0.07);
    expect(Math.abs(variance - 6)).toBeLessThan(0.25);
  });
});
