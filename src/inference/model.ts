import { MillraceError, type ModelHandle, type ModelSpec, providerName } from '../core/index.js';
import { type Artifact, inFile, insist, type Place } from './artifact.js';
import { goldenInputs } from './golden.js';
import { type ModelBreaker, modelBreaker } from './model-breaker.js';
import type { ModelFile } from './model-file.js';
import { bufferPool } from './scheduling/buffers.js';
import { latencyCurve } from './scheduling/latency-curve.js';
import { layoutOf } from './scheduling/layout.js';
import type { Batch, ModelQueue } from './scheduling/model-queue.js';
import type { Scheduler } from './scheduling/scheduler.js';
import type { LoadedModel } from './workers/protocol.js';
import { WorkerLost } from './workers/worker-link.js';
import type { WorkerSlot } from './workers/worker-slot.js';

/** A loaded model: its queue, and its sessions in the workers. */
export interface ServedModel {
  readonly handle: ModelHandle;
  readonly queue: ModelQueue;
  readonly breaker: ModelBreaker;
  isInMemory(): boolean;
  /** Asks golden inputs where the model is loaded and the worker has nothing to do; one that answers wrongly is ended. */
  checkIdle(): Promise<void>;
}

export interface Workers {
  readonly places: readonly Place[];
  readonly scheduler: Scheduler;
  readonly onWarning: (message: string) => void;
  /** Rows may become too late from now on: somebody must look at times. */
  onDeadlines(): void;
}

/** So many sessions in a row that answer golden inputs wrongly: a new one would too. */
const WRONG_MAX = 3;
/** Golden inputs that take so many times what they should are answered too late. */
const SLOW_FACTOR = 10;
/** What is never too late: a busy machine. */
const SLOW_FLOOR_MS = 1_000;

/** A run that takes so many times what 99 of 100 take is hung. */
const HUNG_FACTOR = 10;

/** Gives an artifact a queue for batches of one size. Calls wait while it is not in memory. */
export async function serveModel(
  file: ModelFile,
  artifact: Artifact,
  { providers, batchMax, waitMax, weight, queueMax }: ModelSpec,
  { places, scheduler, onWarning, onDeadlines }: Workers,
): Promise<ServedModel> {
  const { gate } = artifact;
  const [{ slot: first }] = places as readonly [Place, ...Place[]];
  const { model, overheadMs, loading } = await artifact.open(batchMax);
  let { provider } = model;
  const firstProvider = providerName(providers[0] as string);
  for (const why of model.refusals) onWarning(`${file.name} does not run on ${why}; it runs on ${provider}`);

  const { inputs, lengths, outputSize } = model;
  const curves = model.curves.map((points) => latencyCurve({ points, rowsMax: batchMax, overheadMs }));
  const pool = bufferPool(2 * places.length + 2);
  const golden = goldenInputs(
    batchMax,
    providers.every((each) => each === 'cpu'),
  );
  /** The sessions that are asked golden inputs, and those that have answered them rightly. */
  const asked = new WeakMap<LoadedModel, Promise<void>>();
  const trusted = new WeakSet<LoadedModel>();
  const checks = { checks: 0, wrongChecks: 0 };
  let wrongInARow = 0;

  /** Asks a session golden inputs, once in its life. Rejects with `WorkerLost` if that was its end. */
  function trust(slot: WorkerSlot, loaded: LoadedModel): Promise<void> {
    let trusting = asked.get(loaded);
    if (trusting === undefined) {
      trusting = checkSession(slot, loaded);
      asked.set(loaded, trusting);
      trusting.then(
        () => trusted.add(loaded),
        () => asked.delete(loaded),
      );
    }
    return trusting;
  }

  function distrust(loaded: LoadedModel): void {
    asked.delete(loaded);
    trusted.delete(loaded);
  }

  async function checkSession(slot: WorkerSlot, loaded: LoadedModel): Promise<void> {
    const { isRight, rows, ms } = await golden.ask(slot, loaded, HUNG_FACTOR * (curves[0]?.p99Ms(batchMax) ?? 0));
    checks.checks++;
    if (!isRight) {
      checks.wrongChecks++;
      if (++wrongInARow > WRONG_MAX) throw wrong(`${wrongInARow} sessions in a row answer golden inputs wrongly`);
      slot.giveUp(`answers golden inputs of ${file.name} wrongly`);
      throw new WorkerLost('answers golden inputs wrongly', false);
    }
    wrongInARow = 0;
    if (ms > Math.max(SLOW_FLOOR_MS, SLOW_FACTOR * firstMs(rows)))
      throw wrong(`golden inputs take ${Math.round(ms)} ms`);
    for (const curve of curves) curve.resetPace();
  }

  /** What a run took when the model was loaded. */
  const firstMs = (rows: number) => (curves[0]?.ms(rows) ?? 0) / (curves[0]?.pace() ?? 1);
  const wrong = (message: string) =>
    new MillraceError('inference', message, {
      where: file.name,
      hint: 'a device or its memory is broken, or busy with something else; the next of its fallback chain answers meanwhile',
    });

  // The first session gives the right answers. A model that cannot give any gets no queue.
  await gate.hold(() => insist(file, first, async () => await trust(first, await first.load(loading))));
  const queue = scheduler.queue({
    layoutOf: (bucket, rows) => layoutOf(inputs, lengths[bucket] as number, rows),
    ...{ outputSize, version: file.digest, batchMax, waitMax, curves, pool, gate },
    ...(weight !== undefined && { weight }),
    ...(queueMax !== undefined && { queueMax }),
    dispatch: (batch, worker) => void score(batch, (places[worker] as Place).slot),
  });

  let checking: Promise<void> | undefined;

  /** One check for all who ask until it ends: it may wait until the model is in memory. */
  function checkNow(): Promise<void> {
    checking ??= gate
      .hold(async () => {
        distrust(await insist(file, first, () => first.load(loading)));
        await insist(file, first, async () => await trust(first, await first.load(loading)));
      })
      .finally(() => {
        checking = undefined;
      });
    return checking;
  }

  async function checkIdle(): Promise<void> {
    for (const { slot, reserve } of places) {
      if (slot.idleWith(loading) === undefined) continue;
      await reserve(async () => {
        // It may have left, or got a batch, until its turn came.
        const loaded = await slot.idleWith(loading);
        if (loaded === undefined) return;
        distrust(loaded);
        await trust(slot, loaded).catch((error: unknown) => {
          if (error instanceof MillraceError) onWarning(error.message);
          else if (!(error instanceof WorkerLost)) throw error;
        });
      });
    }
  }

  async function score(batch: Batch, slot: WorkerSlot): Promise<void> {
    const { bucket, rows, layout, input, texts } = batch;
    let isLoaded = false;
    try {
      const loaded = slot.loaded(loading) ?? (await slot.load(loading));
      provider = loaded.provider;
      if (!trusted.has(loaded)) await trust(slot, loaded);
      isLoaded = true;
      const hungAfterMs = HUNG_FACTOR * (curves[bucket]?.p99Ms(rows) ?? 0);
      const run = { session: loaded.session, bucket, rows, rowsMax: layout.rowsMax, input, texts };
      const { answer } = await slot.run(run, { hungAfterMs, transfer: [input] });
      // From a process the buffer does not come back: it has never left.
      pool.give(input.byteLength > 0 ? input : answer.input);
      const degraded = loaded.provider === firstProvider ? null : loaded.provider;
      queue.complete(batch, { ...answer, degraded }, answer.ms);
    } catch (error) {
      if (!(error instanceof WorkerLost)) return queue.fail(batch, inFile(file, error));
      const hopeless = slot.hopelessness();
      if (hopeless) queue.fail(batch, hopeless);
      else queue.lose(batch, isLoaded && error.isCause);
    }
  }

  const handle: ModelHandle = {
    inputs,
    lengths,
    outputSize,
    get provider() {
      return provider;
    },
    version: file.digest,
    run(rows, fill, bucketOf, urgency) {
      if (urgency?.sheds && urgency.deadlineOf) onDeadlines();
      return queue.run(rows, fill, bucketOf, urgency);
    },
    flush: () => gate.afterWaiting(queue.flush),
    check: checkNow,
    stats: () => ({
      ...queue.stats(),
      ...gate.stats(),
      ...checks,
      runRows: model.curves.map((points) => points.at(-1)?.rows ?? batchMax),
    }),
  };
  const breaker = modelBreaker({ nowMs: () => performance.now(), random: Math.random });
  return { handle, queue, breaker, isInMemory: gate.isOpen, checkIdle };
}
