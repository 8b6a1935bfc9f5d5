import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationHistogram } from '../../src/util/duration-histogram.js';

describe('DurationHistogram', () => {
  it('gives quantiles that are never below the true ones and at most 19 % above', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (durations) => {
          const histogram = new DurationHistogram();
          for (const duration of durations) histogram.record(duration);
          const sorted = [...durations].sort((a, b) => a - b);
          for (const q of [0.5, 0.9, 0.99, 1]) {
            const truth = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
            const seen = histogram.quantileMs(q);
            expect(seen).toBeGreaterThanOrEqual(truth * (1 - 1e-9));
            expect(seen).toBeLessThanOrEqual(truth * 1.19);
          }
        },
      ),
    );
  });

  it('is zero where nothing was recorded', () => {
    expect(new DurationHistogram().quantileMs(0.99)).toBe(0);
  });
});
