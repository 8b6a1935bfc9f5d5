import { expect, test } from 'vitest';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import type { Batch } from '../../src/inference/scheduling/model-queue.js';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';

test('a batch that there is no memory for rejects its calls, and the next one leaves', async () => {
  const sent: Batch[] = [];
  let rowBytes = 2 ** 52;
  const queue = createScheduler({ workers: 1, nowMs: () => 0 }).queue({
    ...{ batchMax: 1, waitMax: 1, outputSize: 1, version: 'digest', pool: bufferPool(2) },
    layoutOf: (_, rows) => layoutOf([{ name: 'x', type: 'uint8', shape: [rowBytes] }], 1, rows),
    dispatch: (batch) => void sent.push(batch),
  });
  const noMemory = {
    code: 'model',
    message: 'there is no memory for a batch of 4294967296 MiB',
    hint: 'lower `batchMax`',
  };
  await expect(queue.run(1, () => {})).rejects.toMatchObject(noMemory);
  const waits = queue.run(1, () => {});
  rowBytes = 1;
  await expect(waits).rejects.toMatchObject(noMemory);
  const answered = queue.run(1, () => {});
  for (const batch of sent.splice(0))
    queue.complete(batch, { scores: Float32Array.of(1), failures: [], degraded: null }, 1);
  expect((await answered).scores).toEqual(Float32Array.of(1));
  await queue.idle();
});
