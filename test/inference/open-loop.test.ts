import { describe, expect, test } from 'vitest';
import { type Latencies, type Load, openLoop, type Rule } from './open-loop.js';

/** What runs take, in milliseconds by rows: of one that is the fastest at 8 rows, one measured on one core, and one that is slow to start. */
const models: Readonly<Record<string, readonly (readonly [rows: number, ms: number])[]>> = {
  'fastest at 8 rows': [1, 2, 4, 8, 16, 64, 256, 1_024].map((rows, i) => [
    rows,
    [0.035, 0.05, 0.06, 0.077, 0.2, 0.947, 4.06, 14.5][i] as number,
  ]),
  '0.46 MB network': [1, 8, 64, 256, 1_024].map((rows, i) => [rows, [0.037, 0.038, 0.152, 0.574, 2.286][i] as number]),
  'text encoder': [1, 2, 4, 8, 16, 32].map((rows, i) => [rows, [6, 7, 9, 13, 24, 48][i] as number]),
};
const pointsOf = (name: string) => (models[name] as (typeof models)[string]).map(([rows, ms]) => ({ rows, ms }));

/** The mean of some seeds. */
function mean(name: string, rule: Rule, share: number): Latencies {
  const points = pointsOf(name);
  const load: Omit<Load, 'seed'> = {
    ...{ rule, points, batchMax: points.at(-1)?.rows as number, waitMax: 5, share, rows: 10_000 },
  };
  const runs = [1, 2, 3, 4].map((seed) => openLoop({ ...load, seed }));
  const of = (key: keyof Latencies) => runs.reduce((sum, run) => sum + run[key], 0) / runs.length;
  const [p50, p99, p999] = [of('p50'), of('p99'), of('p999')];
  return { p50, p99, p999, rowsABatch: of('rowsABatch'), inTime: of('inTime'), deadlineMs: of('deadlineMs') };
}

describe.each(Object.keys(models))('rows that come by chance for %s', (name) => {
  test.each([0.1, 0.5])('at a share of %d of what it can score, are answered in time', (share) => {
    const { p99, deadlineMs } = mean(name, 'millrace', share);
    expect(p99).toBeLessThan(deadlineMs);
  });

  test('at 0.8, are in time as often as in the largest batches of what is there, give or take one in a hundred, and sooner than after a wait', () => {
    const [own, greedy, waiting] = (['millrace', 'greedy', 'constant wait'] as const).map((rule) =>
      mean(name, rule, 0.8),
    ) as [Latencies, Latencies, Latencies];
    expect(own.inTime).toBeGreaterThan(0.97);
    expect(own.inTime).toBeGreaterThan(greedy.inTime - 0.01);
    expect(own.inTime).toBeGreaterThan(waiting.inTime - 0.01);
    expect(own.p99).toBeLessThan(waiting.p99);
    expect(own.p99).toBeLessThan(1.05 * greedy.p99);
  });
});

test('one that is the fastest at 8 rows collapses where batches are as large as they may be, and does not where they are as large as is fastest', () => {
  expect(mean('fastest at 8 rows', 'millrace', 0.8).inTime).toBe(1);
  expect(mean('fastest at 8 rows', 'greedy', 0.8).inTime).toBeLessThan(0.6);
});
