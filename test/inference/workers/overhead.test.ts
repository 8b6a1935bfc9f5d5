import { describe, expect, it } from 'vitest';
import { overheadOf } from '../../../src/inference/workers/overhead.js';
import type { Ask, LoadedModel } from '../../../src/inference/workers/protocol.js';
import type { WorkerSlot } from '../../../src/inference/workers/worker-slot.js';

const model: LoadedModel = {
  session: 3,
  inputs: [{ name: 'x', type: 'float32', shape: [2] }],
  lengths: [1],
  outputSize: 1,
  inPairs: false,
  curves: [
    [
      { rows: 1, ms: 0.1 },
      { rows: 2, ms: 0.3 },
      { rows: 4, ms: 0.6 },
      { rows: 8, ms: 1.2 },
    ],
  ],
  provider: 'cpu',
  refusals: [],
  memoryBytes: 0,
  loadMs: 0,
};

/** A worker whose batches cost this much beside their runs, one after another; a thread gives the buffer back. */
function worker(besides: (batch: number) => number, isThread = true) {
  const asked: Ask<'run'>[] = [];
  let underWay = 0;
  let most = 0;
  const run: WorkerSlot['run'] = async (ask) => {
    const batch = asked.push(ask) - 1;
    most = Math.max(most, ++underWay);
    await new Promise(setImmediate);
    underWay--;
    const input = isThread ? ask.input : new ArrayBuffer(0);
    return { ms: 7 + besides(batch), answer: { scores: new Float32Array(ask.rows), failures: [], ms: 7, input } };
  };
  return { slot: { run } as WorkerSlot, asked, most: () => most };
}

describe('what a batch costs beside its run', () => {
  it('is the median of batches whose runs take long enough, two under way at once', async () => {
    const { slot, asked, most } = worker((batch) => 0.01 * (batch % 9));
    expect(await overheadOf(slot, model)).toBeCloseTo(0.04, 6);
    expect(asked.every(({ rows, rowsMax, session }) => rows === 4 && rowsMax === 4 && session === 3)).toBe(true);
    expect(most()).toBe(2);
  });

  it('leaves out the batch that found the worker idle', async () => {
    expect(await overheadOf(worker((batch) => (batch === 0 ? 900 : 0.05)).slot, model)).toBeCloseTo(0.05, 6);
  });

  it('is asked of the largest size where no run takes so long, and of one row where nothing was measured', async () => {
    const quick = worker(() => 0.05);
    await overheadOf(quick.slot, { ...model, curves: [[{ rows: 16, ms: 0.01 }]] });
    expect(quick.asked[0]?.rows).toBe(16);
    const unknown = worker(() => 0.05);
    await overheadOf(unknown.slot, { ...model, curves: [] });
    expect(unknown.asked[0]?.rows).toBe(1);
  });

  it('asks with rows again, whether they come back from a thread or stay with a process', async () => {
    for (const isThread of [true, false]) {
      const { slot, asked } = worker(() => 0.05, isThread);
      await overheadOf(slot, model);
      expect(asked.length).toBeGreaterThan(2);
      for (const { input } of asked) expect(new Float32Array(input).some((value) => value !== 0)).toBe(true);
    }
  });

  it('is never less than any machine needs', async () => {
    expect(await overheadOf(worker(() => -3).slot, model)).toBe(0.02);
  });
});
