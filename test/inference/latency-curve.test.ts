import { describe, expect, test } from 'vitest';
import { latencyCurve, measuredSizes } from '../../src/inference/scheduling/latency-curve.js';
import { generator } from '../random.js';

const curve = (points: readonly (readonly [number, number])[], overheadMs = 0) =>
  latencyCurve({ points: points.map(([rows, ms]) => ({ rows, ms })), rowsMax: points.at(-1)?.[0] ?? 1, overheadMs });

describe('the latency curve', () => {
  test('is measured at the powers of two, and at the largest batch', () => {
    expect(measuredSizes(1)).toEqual([1]);
    expect(measuredSizes(8)).toEqual([1, 2, 4, 8]);
    expect(measuredSizes(100)).toEqual([1, 2, 4, 8, 16, 32, 64, 100]);
  });

  test('is straight between the measured sizes, and beyond the last', () => {
    const { ms } = curve([
      [1, 2],
      [4, 5],
      [8, 21],
    ]);
    expect([1, 2, 4, 5, 8, 16].map(ms)).toEqual([2, 3, 5, 9, 21, 42]);
  });

  test('knows the size that answers the most rows a second, and prefers a smaller one that is nearly as good', () => {
    // The fastest at 8 rows, slower a row in larger batches.
    expect(curve([1, 2, 4, 8, 16, 32].map((rows) => [rows, rows <= 8 ? 1 : rows / 6])).bestRows()).toBe(8);
    // As a small network is: the larger the better, but the last steps bring next to nothing.
    expect(curve([1, 8, 64, 512, 4_096].map((rows) => [rows, 0.1 + rows / 1_000])).bestRows()).toBe(4_096);
    expect(curve([1, 8, 64, 512, 4_096].map((rows) => [rows, 0.1 + rows])).bestRows()).toBe(8);
  });

  test('has larger batches where each costs something beside its run', () => {
    // A model that is run 8 rows at a time, in 40 us, and 25 us for the way to the worker and back.
    const points = [{ rows: 8, ms: 0.04 }];
    expect(latencyCurve({ points, rowsMax: 1_024 }).bestRows()).toBe(8);
    expect(latencyCurve({ points, rowsMax: 1_024, overheadMs: 0.025 }).bestRows()).toBe(256);
    expect(latencyCurve({ points, rowsMax: 1_024, overheadMs: 0.025 }).ms(16)).toBeCloseTo(0.105);
  });

  const measured = [
    [1, 1],
    [8, 2],
    [64, 10],
  ] as const;

  test('follows a machine that gets busy, and does not take another size for better then', () => {
    const { ms, observe, bestRows } = curve(measured);
    for (let batch = 0; batch < 300; batch++) observe(64, 40);
    expect(ms(64)).toBeCloseTo(40, 0);
    expect(ms(8)).toBeGreaterThan(5);
    expect(bestRows()).toBe(64);
  });

  test('learns that one size has got slower than others', () => {
    const { ms, observe, bestRows } = curve(measured);
    for (let batch = 0; batch < 10_000; batch++) batch % 2 === 0 ? observe(64, 40) : observe(8, 2);
    expect(ms(64) / ms(8)).toBeGreaterThan(15);
    expect(bestRows()).toBe(8);
  });

  test('is not made useless by one batch of a machine that slept', () => {
    const { ms, observe } = curve([[8, 2]]);
    observe(8, 3_600_000);
    expect(ms(8)).toBeLessThan(4);
  });

  test('knows about what 99 of 100 batches take at most', () => {
    const random = generator(3);
    const { p99Ms, observe } = curve([[8, 2]]);
    // Exponential times around a mean of 2 ms: the 99th percentile is at 4.6 times the mean.
    const exponential = () => -2 * Math.log(1 - random());
    for (let batch = 0; batch < 5_000; batch++) observe(8, exponential());
    let above = 0;
    for (let batch = 0; batch < 5_000; batch++) {
      const taken = exponential();
      if (taken > p99Ms(8)) above++;
      observe(8, taken);
    }
    expect(above / 5_000).toBeGreaterThan(0.004);
    expect(above / 5_000).toBeLessThan(0.025);
  });
});
