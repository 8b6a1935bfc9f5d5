import { describe, expect, test } from 'vitest';
import { inRunsOf, measureRuns } from '../../src/inference/session/run-size.js';

/** Keeps this thread busy for so long, as a run does. */
const busy = (ms: number): void => {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
};

describe('the size of runs', () => {
  test('is the one that is the fastest, a row, though larger ones were possible', async () => {
    const points = await measureRuns(async (_, rows) => {
      busy(rows <= 8 ? 0.1 : 0.1 * rows);
      return { scores: new Float32Array(rows) };
    }, 64);
    expect(points.map(({ rows }) => rows)).toEqual([1, 2, 4, 8]);
    for (const { ms } of points) expect(ms).toBeGreaterThanOrEqual(0.1);
  });

  test('cuts batches, which keep their order', async () => {
    const runs: [number, number][] = [];
    const run = inRunsOf(8, 2, async (from, rows) => {
      runs.push([from, rows]);
      return { scores: Float32Array.from({ length: rows * 2 }, (_, i) => from * 2 + i) };
    });
    expect((await run(3, 20)).scores).toEqual(Float32Array.from({ length: 40 }, (_, i) => 6 + i));
    expect(runs).toEqual([
      [3, 8],
      [11, 8],
      [19, 4],
    ]);
    await run(0, 8);
    expect(runs.at(-1)).toEqual([0, 8]);
  });
});
