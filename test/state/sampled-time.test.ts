import { describe, expect, it } from 'vitest';
import { SampledTime } from '../../src/state/sampled-time.js';

/** Works so many times, each as long as `msOf` says. */
function run(pieces: number, msOf: (piece: number) => number) {
  let [nowMs, asked] = [1_000, 0];
  const time = new SampledTime(() => {
    asked += 1;
    return nowMs;
  });
  const work = (count: number) => {
    for (let i = 0; i < count; i++) {
      time.begin();
      nowMs += msOf(i);
      time.end();
      nowMs += 5; // between pieces
    }
  };
  work(pieces);
  return { time, work, asked: () => asked };
}

describe('SampledTime', () => {
  it('tells how long all pieces took, from one in sixteen', () => {
    const { time, asked } = run(1_600, () => 3);
    expect(time.take()).toBeCloseTo(4_800, 6);
    expect(asked()).toBe(2 * 100);
  });

  it('is near for pieces that take different times', () => {
    const msOf = (i: number) => ((i * 7_919) % 101) / 50;
    expect(run(10_000, msOf).time.take() / 10_000).toBeCloseTo(1, 1);
  });

  it('begins anew when it has told, with a piece that is timed', () => {
    const { time, work } = run(5, () => 3);
    expect(time.take()).toBe(15);
    expect(time.take()).toBe(0);
    work(1);
    expect(time.take()).toBe(3);
  });
});
