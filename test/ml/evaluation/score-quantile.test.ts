import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scoreQuantile, scoreQuantileSize } from '../../../src/ml/evaluation/score-quantile.js';
import { float64Cell } from '../../../src/state/index.js';

const open = (q: number) => {
  const cell = float64Cell({ size: scoreQuantileSize }).open();
  return { cell, quantile: scoreQuantile(cell, q) };
};
const oddsOf = (score: number) => score / (1 - score);

it('is exceeded by the scores above it, to 2 % of the odds, once there are enough', () => {
  const score = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0.97, max: 0.999, noNaN: true }),
    fc.constantFrom(0, 0.5, 1),
  );
  fc.assert(
    fc.property(fc.array(score, { maxLength: 60 }), fc.constantFrom(0.5, 0.75, 0.9), (scores, q) => {
      const { quantile } = open(q);
      scores.forEach((each, i) => {
        const isAbove = quantile.exceeds(each);
        const before = scores.slice(0, i).sort((a, b) => a - b);
        if (i < 1 / (1 - q) - 1e-9) {
          expect(isAbove).toBe(false);
          return;
        }
        const exact = before[Math.floor(q * (i - 1))] as number;
        if (each <= exact) expect(isAbove).toBe(false);
        else if (exact > 1e-8 && each < 1 - 1e-8 && oddsOf(each) > oddsOf(exact) * 1.0203) expect(isAbove).toBe(true);
      });
    }),
  );
});

it('tells scores near 1 apart', () => {
  const { quantile } = open(0.99);
  for (let i = 0; i < 1_000; i++) quantile.exceeds(0.98 + (i % 10) / 1_000);
  expect([0.988, 0.9895, 0.99, 0.999].map((score) => quantile.exceeds(score))).toEqual([false, true, true, true]);
});

it('goes on where a stored one stopped', () => {
  const stopped = open(0.8);
  const scores = Array.from({ length: 50 }, (_, i) => ((i * 37) % 50) / 50);
  for (const score of scores) stopped.quantile.exceeds(score);
  const restored = open(0.8);
  for (const { bucket, bytes } of stopped.cell.takeChanges()) if (bytes) restored.cell.restore(bucket, bytes, 1);
  for (const score of scores.reverse()) expect(restored.quantile.exceeds(score)).toBe(stopped.quantile.exceeds(score));
  expect(restored.cell.values).toEqual(stopped.cell.values);
});
