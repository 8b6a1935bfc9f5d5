import { describe, expect, it } from 'vitest';
import { limits, withinLimits } from './costs.js';
import { fuzzLarge, subjects } from './large-inputs.js';

/** A busy machine of CI counts more CPU for the same work; `npm run fuzz` holds to the limits themselves. */
const generous = { turnMs: 20 * limits.turnMs, addedBytes: 2 * limits.addedBytes };

function busyFor(ms: number): void {
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user + process.cpuUsage(before).system < ms * 1_000);
}

describe('inputs of up to a megabyte', () => {
  it('cost no turn of the loop and no memory beyond the limits, whatever reads them', async () => {
    const dearest = await fuzzLarge(4, 7, generous);
    expect(Object.keys(dearest)).toEqual(Object.keys(subjects));
  }, 120_000);

  it('are measured: what takes too long or keeps too much is told', async () => {
    const small = { turnMs: 50, addedBytes: 2 ** 20 };
    await expect(withinLimits('a loop', small, () => busyFor(200))).rejects.toThrow(/a loop costs \d{3,} ms of CPU/);
    await expect(withinLimits('a buffer', small, () => Buffer.alloc(32 * 2 ** 20, 1))).rejects.toThrow('32 MiB');
    await withinLimits('turns', small, async () => {
      for (let turn = 0; turn < 20; turn++) {
        busyFor(5);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
});
