import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EpochPoint } from '../../src/runtime/index.js';
import { FaultInjector, type KillerOptions } from '../../src/verify/fault-injector.js';

const POINTS: readonly EpochPoint[] = ['pushed', 'drained', 'prepared', 'stored', 'committed'];

function world(more: Partial<KillerOptions> = {}) {
  const killed: number[] = [];
  const told: string[] = [];
  let turn = 0;
  const faultInjector = new FaultInjector({
    kills: 5,
    everyMs: 1,
    random: () => (turn++ % 10) / 10,
    kill: (place) => {
      killed.push(place);
      return true;
    },
    onKill: (point, kills) => told.push(`${kills} ${point}`),
    ...more,
  });
  return { faultInjector, killed, told };
}

/** Processes 0 and 1 pass one point after another until the faultInjector has enough. */
async function passPoints(faultInjector: FaultInjector, over: Promise<void>): Promise<void> {
  let working = true;
  void over.then(() => {
    working = false;
  });
  for (let n = 0; working; n++) {
    faultInjector.hear(n % 2, POINTS[n % POINTS.length] as EpochPoint);
    await sleep(1);
  }
}

describe('Killer', () => {
  it('kills as often as it should, each time just after a point that it chose', async () => {
    const { faultInjector, killed, told } = world();
    const { signal } = new AbortController();
    const over = faultInjector.run(signal);
    await passPoints(faultInjector, over);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(killed).toHaveLength(5);
    expect(told).toHaveLength(5);
    expect(Object.values(faultInjector.done).reduce((sum, times) => sum + times, 0)).toBe(5);
    expect(told.at(-1)).toMatch(/^5 (pushed|drained|prepared|stored|committed)$/);
  });

  it('kills nobody between its kills, and waits for another where a process is gone already', async () => {
    let gone = 2;
    const { faultInjector, told } = world({ kills: 1, kill: () => gone-- <= 0 });
    faultInjector.hear(0, 'stored'); // before it began
    const over = faultInjector.run(new AbortController().signal);
    await passPoints(faultInjector, over);
    expect(told).toHaveLength(1);
    expect(gone).toBe(-1);
  });

  it('does not kill who has stored nothing since the last kill', async () => {
    const { faultInjector, killed } = world();
    const stop = new AbortController();
    const over = faultInjector.run(stop.signal);
    for (let n = 0; n < 100; n++) {
      for (const point of POINTS) if (point !== 'stored') faultInjector.hear(0, point);
      await sleep(1);
    }
    expect(killed).toEqual([]);
    stop.abort();
    await over;
  });

  it('ends when it is told to, whether it waits for its time or for a point', async () => {
    for (const everyMs of [60_000, 1]) {
      const { faultInjector, killed } = world({ everyMs });
      const stop = new AbortController();
      const over = faultInjector.run(stop.signal);
      faultInjector.hear(0, 'stored');
      await sleep(20);
      stop.abort();
      await over;
      expect(killed).toEqual([]);
    }
  });
});
