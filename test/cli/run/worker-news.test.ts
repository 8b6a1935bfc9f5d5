import { describe, expect, it } from 'vitest';
import { type ProgressNews, together } from '../../../src/cli/run/worker-news.js';
import { DurationHistogram } from '../../../src/runtime/index.js';

const task = (partition: number, epoch: number, read: number): ProgressNews['tasks'][number] => ({
  stage: 'orders',
  partition,
  epoch,
  positions: {},
  watermarkMs: 0,
  recordsInFlight: 0,
  counters: [{ step: 'orders', name: 'read', value: read }],
});

const news = (tasks: ProgressNews['tasks'], latencyMs: number): ProgressNews => {
  const { counts, total, sumMs } = (() => {
    const histogram = new DurationHistogram();
    histogram.record(latencyMs);
    return histogram;
  })();
  return JSON.parse(JSON.stringify({ kind: 'progress', tasks, latency: { counts: [...counts], total, sumMs } }));
};

describe('what processes tell', () => {
  it('is summed over tasks, each as the process that has brought it furthest tells of it', () => {
    const whole = together([news([task(0, 5, 100), task(1, 9, 70)], 1), news([task(1, 12, 90), task(2, 1, 3)], 4)]);
    expect(whole.counters).toEqual([{ step: 'orders', name: 'read', value: 193 }]);
    expect(whole.tasks.map(({ partition, epoch }) => [partition, epoch])).toEqual([
      [0, 5],
      [1, 12],
      [2, 1],
    ]);
    expect(whole.latency.total).toBe(2);
    expect(whole.latency.quantileMs(1)).toBeGreaterThanOrEqual(4);
    expect(whole.latency.quantileMs(0.5)).toBeLessThan(1.2);
  });

  it('of nobody is nothing', () => {
    expect(together([])).toMatchObject({ tasks: [], counters: [] });
  });
});
