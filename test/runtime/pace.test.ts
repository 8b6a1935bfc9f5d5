import { describe, expect, it } from 'vitest';
import { measuringClock, paceOf, systemClock } from '../../src/runtime/clock.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

describe('paceOf', () => {
  it('lets through what the rate allows and no more', async () => {
    const clock = new VirtualClock();
    const pace = paceOf(1_000, clock);
    for (let round = 0; round < 100; round++) await pace.take(50);
    expect(clock.now()).toBe(5_000);
  });

  it('does not make up for a pause beyond a second', async () => {
    const clock = new VirtualClock();
    const pace = paceOf(1_000, clock);
    clock.advance(60_000);
    for (let round = 0; round < 100; round++) await pace.take(50);
    expect(clock.now()).toBe(64_000);
  });

  it('has rounds of a twentieth of a second, of one record at least', () => {
    const clock = new VirtualClock();
    expect([1_000, 39, 3].map((rate) => paceOf(rate, clock).roundMax)).toEqual([50, 1, 1]);
  });

  it('sleeps no time at all where records are due', async () => {
    const slept: number[] = [];
    const pace = paceOf(10, { now: () => 5_000, sleep: async (ms) => void slept.push(ms) });
    await pace.take(0);
    await pace.take(1);
    expect(slept).toEqual([100]);
  });
});

describe('the system clock', () => {
  it('wakes at once whom a signal wakes, also one that came before', async () => {
    const leaving = new AbortController();
    const sleeping = systemClock.sleep(1_000_000, leaving.signal);
    leaving.abort();
    await sleeping;
    await systemClock.sleep(1_000_000, leaving.signal);
    await systemClock.sleep(1);
  });

  it('ticks until it is told to stop', async () => {
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(1, () => {
        ticks += 1;
        if (ticks < 3) return;
        stop();
        resolve();
      });
    });
    await systemClock.sleep(20);
    expect(ticks).toBe(3);
  });

  it('measures by what is finer, where there is such a clock', () => {
    expect([measuringClock({ now: () => 1, fine: () => 2 })(), measuringClock({ now: () => 1 })()]).toEqual([2, 1]);
  });
});
