import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MillraceError } from '../../src/core/index.js';
import type { Artifact } from '../../src/inference/artifact.js';
import { serveModel } from '../../src/inference/model.js';
import type { ModelFile } from '../../src/inference/model-file.js';
import { modelResidents } from '../../src/inference/residency/residents.js';
import { createScheduler, type Scheduler } from '../../src/inference/scheduling/scheduler.js';
import type { LoadedModel } from '../../src/inference/workers/protocol.js';
import type { WorkerSlot } from '../../src/inference/workers/worker-slot.js';

const nowMs = () => performance.now();

const loadedOn = (provider: string): LoadedModel => ({
  ...{ session: 0, inputs: [{ name: 'x', type: 'float32', shape: [1] }], lengths: [1], outputSize: 1, provider },
  ...{ curves: [[{ rows: 1, ms: 10 }]], inPairs: false, refusals: [], memoryBytes: 1, loadMs: 1 },
});

/** A worker whose session is on a provider, and says of each row how long it took. */
function slotOf(provider: string, takesMs: number): WorkerSlot {
  const loaded = loadedOn(provider);
  return {
    ...{ load: async () => loaded, loaded: () => loaded, unload: async () => {}, idleWith: () => undefined },
    ...{ giveUp() {}, hopelessness: () => undefined, close: async () => {} },
    async run({ rows, input }, { isCheck = false }) {
      if (!isCheck) await pause(takesMs);
      const scores = new Float32Array(rows).fill(isCheck ? 0 : takesMs);
      return { ms: 1, answer: { scores, failures: [], input, ms: 1 } };
    },
  };
}

/** Serves a model on these workers. */
function serve(slots: readonly WorkerSlot[], scheduler: Scheduler) {
  const places = slots.map((slot) => ({
    slot,
    reserve: async <T>(work: () => Promise<T>) => await work(),
  }));
  const residents = modelResidents({
    ...{ memoryMax: Number.POSITIVE_INFINITY, nowMs, onWarning() {} },
    sleep: async (ms) => await pause(ms),
  });
  const load = async () => ({ bytes: 1, loadMs: 1 });
  const artifact: Artifact = {
    gate: residents.gate({ name: 'm', isPinned: false, fileBytes: 1, load, unload: async () => {} }),
    open: async () => ({ model: loadedOn('cuda'), overheadMs: 0.1, loading: { ask: {} as never } }),
  };
  const file: ModelFile = { name: 'm.onnx', digest: 'd', place: '', bytes: 1, data: [], close: async () => {} };
  return serveModel(
    file,
    artifact,
    { model: 'm', providers: ['cuda', 'cpu'], batchMax: 1, waitMax: 1 },
    { places, scheduler, onWarning() {}, onDeadlines() {} },
  );
}

test('each batch says which provider it ran on, where workers have others', async () => {
  const slots = [slotOf('cuda', 50), slotOf('cpu', 30)];
  const { handle } = await serve(slots, createScheduler({ workers: 2, nowMs }));
  const answers = await Promise.all(Array.from({ length: 12 }, () => handle.run(1, () => {})));
  const said = answers.map(({ scores: [ms], degraded: [provider] }) => `${ms} ms on ${provider ?? 'cuda'}`);
  expect(new Set(said)).toEqual(new Set(['50 ms on cuda', '30 ms on cpu']));
});

test('a model that does not answer golden inputs leaves no queue behind', async () => {
  const scheduler = createScheduler({ workers: 1, nowMs });
  const queues: unknown[] = [];
  const counted: Scheduler = {
    ...scheduler,
    queue(options) {
      queues.push(options);
      return scheduler.queue(options);
    },
  };
  const broken: WorkerSlot = {
    ...slotOf('cpu', 1),
    run: async () => {
      throw new MillraceError('model', 'the model fails');
    },
  };
  await expect(serve([broken], counted)).rejects.toMatchObject({ code: 'model' });
  expect(queues).toEqual([]);
});
