import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkerLost } from '../../../src/inference/workers/worker-link.js';
import { type Loading, type WorkerSlot, workerSlot } from '../../../src/inference/workers/worker-slot.js';

let warnings: string[];
let slot: WorkerSlot;
beforeEach(() => {
  warnings = [];
  slot = workerSlot({
    ...{ name: 'the worker', isolation: 'thread', hungFloorMs: 60_000, onUp() {} },
    onWarning: (message) => warnings.push(message),
  });
});
afterEach(async () => await slot.close());

const nowhere: Loading = {
  ask: { artifact: 'a', digest: 'd', place: '/nowhere.onnx', fileBytes: 1, providers: ['cpu'], batchMax: 1 },
};
/** Its answer shows that the worker lives. */
const isAlive = async () => expect(await slot.load(nowhere).catch((error) => error)).not.toBeInstanceOf(WorkerLost);

test('to give up a worker that is gone does nothing to the one that takes its place', async () => {
  await isAlive();
  slot.giveUp('is wrong');
  slot.giveUp('is wrong, as another model has found too');
  await isAlive();
  expect(warnings).toEqual([expect.stringContaining('the worker is wrong;')]);
});

test('a request that cannot be sent rejects, and those behind it are answered', async () => {
  const run = { session: 0, bucket: 0, rows: 1, rowsMax: 1, input: new ArrayBuffer(8) };
  const texts = [[() => {}]] as unknown as string[][];
  await expect(slot.run({ ...run, texts }, { hungAfterMs: 60_000 })).rejects.toThrow('could not be cloned');
  await isAlive();
}, 5_000);
