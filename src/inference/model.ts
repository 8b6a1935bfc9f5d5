import { MillraceError, type ModelHandle, type ModelSpec, providerName } from '../core/index.js';
import { bufferPool } from './scheduling/buffers.js';
import { latencyCurve } from './scheduling/latency-curve.js';
import { layoutOf } from './scheduling/layout.js';
import type { Batch, ModelQueue } from './scheduling/model-queue.js';
import type { Scheduler } from './scheduling/scheduler.js';
import { overheadOf } from './workers/overhead.js';
import { WorkerLost } from './workers/worker-link.js';
import type { WorkerSlot } from './workers/worker-slot.js';

export interface ModelFile {
  /** The name in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** A loaded model: its queue, and its sessions in the workers. */
export interface ServedModel {
  readonly handle: ModelHandle;
  readonly queue: ModelQueue;
}

export interface Workers {
  readonly slots: readonly WorkerSlot[];
  readonly scheduler: Scheduler;
  readonly onWarning: (message: string) => void;
  /** Rows may become too late from now on: somebody must look at times. */
  onDeadlines(): void;
}

/** A run that takes so many times what 99 of 100 take is hung. */
const HUNG_FACTOR = 10;

/**
 * Loads a model in every worker and gives it a queue. The file's bytes are kept, so a restarted worker loads exactly the same model,
 * whatever happened to the file.
 */
export async function serveModel(
  file: ModelFile,
  spec: ModelSpec,
  { slots, scheduler, onWarning, onDeadlines }: Workers,
): Promise<ServedModel> {
  const { bytes, digest } = file;
  const { providers, batchMax, waitMax, weight, queueMax, tensors } = spec;
  const ask = { digest, bytes, providers, batchMax, isProven: false, ...(tensors && { tensors }) };
  const [first, ...others] = slots as readonly [WorkerSlot, ...WorkerSlot[]];

  const { model, overheadMs } = await insist(first, async () => {
    const model = await first.load(ask);
    return { model, overheadMs: await overheadOf(first, model) };
  });
  let { provider } = model;
  const firstProvider = providerName(providers[0] as string);
  for (const why of model.refusals) onWarning(`${file.name} does not run on ${why}; it runs on ${provider}`);
  ask.isProven = true;
  await Promise.all(others.map((slot) => insist(slot, () => slot.load(ask))));

  const { inputs, lengths, outputSize } = model;
  const curves = model.curves.map((points) => latencyCurve({ points, rowsMax: batchMax, overheadMs }));
  const pool = bufferPool(2 * slots.length + 2);
  const queue = scheduler.queue({
    layoutOf: (bucket, rows) => layoutOf(inputs, lengths[bucket] as number, rows),
    ...{ outputSize, version: digest, batchMax, waitMax, curves, pool },
    ...(weight !== undefined && { weight }),
    ...(queueMax !== undefined && { queueMax }),
    dispatch: (batch, worker) => void score(batch, slots[worker] as WorkerSlot),
  });

  async function score(batch: Batch, slot: WorkerSlot): Promise<void> {
    const { bucket, rows, layout, input } = batch;
    let isLoaded = false;
    try {
      const loaded = await slot.load(ask);
      isLoaded = true;
      provider = loaded.provider;
      const hungAfterMs = HUNG_FACTOR * (curves[bucket]?.p99Ms(rows) ?? 0);
      const run = { session: loaded.session, bucket, rows, rowsMax: layout.rowsMax, input };
      const { answer } = await slot.run(run, { hungAfterMs, transfer: [input] });
      // From a process the buffer does not come back: it has never left.
      pool.give(input.byteLength > 0 ? input : answer.input);
      const degraded = provider === firstProvider ? null : provider;
      queue.complete(batch, { ...answer, degraded }, answer.ms);
    } catch (error) {
      if (!(error instanceof WorkerLost)) return queue.fail(batch, error);
      const hopeless = slot.hopelessness();
      if (hopeless) queue.fail(batch, hopeless);
      else queue.lose(batch, isLoaded && error.isCause);
    }
  }

  /** Repeats work that a dying worker interrupts. */
  async function insist<T>(slot: WorkerSlot, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw inFile(file, error);
        const hopeless = slot.hopelessness();
        if (hopeless) throw inFile(file, hopeless);
      }
    }
  }

  const handle: ModelHandle = {
    inputs,
    lengths,
    outputSize,
    get provider() {
      return provider;
    },
    version: digest,
    run(rows, fill, bucketOf, urgency) {
      if (urgency?.sheds && urgency.deadlineOf) onDeadlines();
      return queue.run(rows, fill, bucketOf, urgency);
    },
    flush: queue.flush,
    stats: () => ({ ...queue.stats(), runRows: model.curves.map((points) => points.at(-1)?.rows ?? batchMax) }),
  };
  return { handle, queue };
}

const inFile = ({ name }: ModelFile, error: unknown): unknown =>
  error instanceof MillraceError
    ? new MillraceError(error.code, error.message, {
        where: name,
        cause: error,
        permanent: error.permanent,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      })
    : error;
