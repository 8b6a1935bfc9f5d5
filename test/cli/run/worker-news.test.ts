import { describe, expect, it } from 'vitest';
import { latencyOf, type ProgressNews } from '../../../src/cli/run/worker-news.js';
import { DurationHistogram } from '../../../src/runtime/index.js';

const news = (latencyMs: number): ProgressNews => {
  const histogram = new DurationHistogram();
  histogram.record(latencyMs);
  const { counts, total, sumMs } = histogram;
  return JSON.parse(JSON.stringify({ kind: 'progress', tasks: [], latency: { counts: [...counts], total, sumMs } }));
};

describe('what processes tell', () => {
  it('is one histogram of latencies', () => {
    const whole = latencyOf([news(1), news(4)]);
    expect(whole.total).toBe(2);
    expect(whole.quantileMs(1)).toBeGreaterThanOrEqual(4);
    expect(whole.quantileMs(0.5)).toBeLessThan(1.2);
    expect(latencyOf([]).total).toBe(0);
  });
});
