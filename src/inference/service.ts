import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type InferenceService,
  MillraceError,
  type ModelHandle,
  type ModelReport,
  type ModelSpec,
  type RemoteOptions,
  remoteOf,
} from '../core/index.js';
import { type Artifact, artifactId, createArtifact, type Place } from './artifact.js';
import { cached } from './cache.js';
import { type ServedModel, serveModel } from './model.js';
import { type ModelFile, openModelFile } from './model-file.js';
import { type Opened, openChain } from './open-chain.js';
import { openRemote, type RemoteModel } from './remote/remote-model.js';
import { renewing } from './remote/renewing.js';
import { modelResidents } from './residency/residents.js';
import type { ModelQueue } from './scheduling/model-queue.js';
import { createScheduler } from './scheduling/scheduler.js';
import { type AnswerStore, sharedAnswers } from './shared-answers.js';
import type { Isolation } from './workers/channel.js';
import { reservations } from './workers/reservations.js';
import { workerSlot } from './workers/worker-slot.js';

export interface InferenceOptions {
  /** The number of workers, each with a thread, and with all models (default 1). */
  readonly workers?: number;
  /** `thread` (default), or `process`: a worker that hangs or crashes in native code is killed, and costs this process nothing. */
  readonly isolation?: Isolation;
  /** How long a batch may take before it counts as hung, if ten times its 99th percentile is less; in milliseconds (default 2 s). */
  readonly hungFloorMs?: number;
  /** How often a worker that has nothing to do is asked the golden inputs of its models, in milliseconds (default 10 s). */
  readonly checkEveryMs?: number;
  /**
   * What all models may take in all workers together, in bytes (default: no limit). Beyond it, those that are worth least leave, and are
   * loaded again when rows come for them.
   */
  readonly memoryMax?: number;
  /** Where answers that models remember (`cacheBytesMax`) are kept for other processes too (default: nowhere). */
  readonly answers?: AnswerStore;
  /** Called with problems that a run survives, such as a declared provider that is not available. */
  readonly onWarning?: (message: string) => void;
}

/** How often rows are looked for that have become too late while no batch leaves. */
const SHED_LATE_MS = 20;

/**
 * Micro-batched scoring of ONNX models in workers, shared by all tasks of the process.
 *
 * Relative paths are resolved against the working directory. A model is loaded once per digest, however many tasks open it. It stays
 * loaded until `close`, or until others need the memory (`memoryMax`). Tasks that open it with the same limits fill the same batches. Every model is checked while it loads:
 * its inputs and outputs, the provider that runs it, and on the CPU, for each possible length of rows, that the bits of a row's
 * score do not depend on its batch, so that a replay gives the same predictions. Only rows of one length share a batch, so the
 * padding of a row never depends on other rows.
 *
 * What batches of a model take is measured when it is loaded, and with each batch since; so batches are as large as is fastest, up to
 * `batchMax`. A row never waits while a worker has nothing to do. Models share the workers by time: none starves, and a batch that is
 * not full waits at most `waitMax` beside full ones of others for its turn.
 *
 * Guarantees: calls on a handle are answered in the order made. A row that fails on its own is named in `failures`, and the others
 * are answered. If memory runs out, batches get smaller. If a worker dies, it is started again, and its rows are scored again; a row
 * that kills its worker alone, twice, is named in `failures`. A batch that takes ten times its 99th percentile is hung: a process is
 * killed then; a thread is given up, and a warning asks for a restart of this process. An idle service does not keep the process alive.
 *
 * Golden inputs are asked when a worker has loaded a model, and while it has nothing to do, of one model after the other: a worker that
 * answers other than the first did is replaced before it gets further rows.
 *
 * Errors: `MillraceError('model')` with the file in `where` for what is wrong for good; `MillraceError('inference')` where workers
 * are lost again and again without an answer in between.
 *
 * Memory: per model in each worker what its weights take, the runtime's memory for `batchMax` rows, and a few input buffers, all of it
 * within `memoryMax`, and one model more while it is loaded; plus the rows of the callers. The first model takes about 50 MB in each worker for the thread and the runtime.
 *
 * @example const inference = createInference({ onWarning: (message) => log.warn(message) }); const risk = await inference.open({
 * model: 'models/risk.onnx', batchMax: 256, waitMax: 5, providers: ['cuda', 'cpu'] }); const { scores } = await
 * risk.run(rows.length, (row, [features], place) => features.set(rows[row], place * 11)); await inference.close();
 */
export function createInference(options: InferenceOptions = {}): InferenceService {
  const { workers = 1, isolation = 'thread', hungFloorMs = 2_000, checkEveryMs = 10_000 } = options;
  const { onWarning = () => {}, memoryMax = Number.POSITIVE_INFINITY, answers } = options;
  const nowMs = () => performance.now();
  const scheduler = createScheduler({ workers, nowMs });
  const reserve = reservations(workers);
  const places = Array.from({ length: workers }, (_, worker): Place => {
    const state = { isAlive: true, isReserved: false };
    const tell = (change: Partial<typeof state>) => {
      Object.assign(state, change);
      scheduler.setUp(worker, state.isAlive && !state.isReserved);
    };
    const name = workers === 1 ? 'the inference worker' : `inference worker ${worker}`;
    const slot = workerSlot({ name, onUp: (isAlive) => tell({ isAlive }), ...{ isolation, hungFloorMs, onWarning } });
    return {
      slot,
      reserve: (work) => reserve((isReserved) => tell({ isReserved }), work),
    };
  });
  const slots = places.map(({ slot }) => slot);
  const residents = modelResidents({ memoryMax, nowMs, sleep: (ms) => sleep(ms), onWarning });
  const files = new Map<string, ModelFile>();
  const artifacts = new Map<string, Artifact>();
  let watch: NodeJS.Timeout | undefined;
  const onDeadlines = () => {
    watch ??= setInterval(() => {
      scheduler.shedLate();
      for (const shedLate of remoteSheds.values()) shedLate();
    }, SHED_LATE_MS).unref();
  };
  const models = new Map<string, Promise<ServedModel>>();
  const remotes = new Map<string, Promise<RemoteModel>>();
  /** By identity, the newest that its server has no more: some may still ask it, until the next one is there. */
  const gone = new Map<string, RemoteModel>();
  /** Those whose last calls end. */
  const leaving = new Set<Promise<void>>();
  /** By remote model, what leaves rows to others that would be late, and what is told of it. */
  const remoteSheds = new Map<ModelQueue, () => void>();
  const remoteReports = new Map<ModelQueue, () => ModelReport>();
  const reports: (() => ModelReport)[] = [];
  const checks: (() => Promise<void>)[] = [];
  let checked: Promise<void> | undefined;
  const checking = setInterval(() => {
    checked ??= checkInTurn().finally(() => {
      checked = undefined;
    });
  }, checkEveryMs).unref();
  let closed: Promise<void> | undefined;

  /** One model after the other, so that rows wait for one check at most. */
  async function checkInTurn(): Promise<void> {
    for (const check of checks) {
      if (closed) break;
      // One whose worker dies is checked when it is back.
      await check().catch(() => {});
    }
  }

  function artifactOf(file: ModelFile, spec: ModelSpec): Artifact {
    const id = artifactId(file, spec);
    const known = artifacts.get(id);
    if (known !== undefined) return known;
    const artifact = createArtifact(file, spec, { places, residents });
    artifacts.set(id, artifact);
    return artifact;
  }

  /** Equal files are one, wherever they lie. */
  async function fileOf({ model }: ModelSpec): Promise<ModelFile> {
    const file = await openModelFile(model);
    const known = files.get(file.digest);
    if (closed) {
      await file.close();
      throw serviceClosed();
    }
    if (known === undefined) files.set(file.digest, file);
    else await file.close();
    return known ?? file;
  }

  function served(file: ModelFile, spec: ModelSpec): Promise<ServedModel> {
    const { batchMax, waitMax, weight, queueMax, cacheBytesMax } = spec;
    const identity = JSON.stringify([artifactId(file, spec), batchMax, waitMax, weight, queueMax, cacheBytesMax]);
    let model = models.get(identity);
    if (model === undefined) {
      const artifact = artifactOf(file, spec);
      const { providers, tensors } = spec;
      model = withCache(serveModel(file, artifact, spec, { places, scheduler, onWarning, onDeadlines }), spec, () =>
        JSON.stringify([file.digest, providers, tensors]),
      );
      models.set(identity, model);
      model.then(
        ({ handle, breaker, checkIdle }) => {
          checks.push(checkIdle);
          reports.push(() => ({
            ...{ model: basename(file.name), version: handle.version, provider: handle.provider, ...handle.stats() },
            ...{ isOpen: breaker.isOpen, openings: breaker.openings },
          }));
        },
        // A model that could not be loaded may be retried.
        () => models.delete(identity),
      );
    }
    return model;
  }

  function remote(spec: ModelSpec, server: RemoteOptions): Promise<RemoteModel> {
    const { batchMax, waitMax, queueMax, tensors, cacheBytesMax } = spec;
    const identity = JSON.stringify([server, batchMax, waitMax, queueMax, tensors, cacheBytesMax]);
    let model = remotes.get(identity);
    if (model === undefined) {
      const onGone = () => {
        if (remotes.get(identity) !== opening) return;
        remotes.delete(identity);
        void opening.then((model) => gone.set(identity, model));
      };
      const opened = withCache(openRemote(spec, server, { onGone, onDeadlines, onWarning }), spec, (model) =>
        // Without a version nobody knows when it is another model.
        model.isVersioned ? JSON.stringify([server.url, model.handle.version, spec.tensors]) : undefined,
      );
      // Whoever opens it anew gets what its server has by then.
      const opening = opened.then((each) =>
        renewing(each, async () => {
          if (closed) throw serviceClosed();
          return await remote(spec, server);
        }),
      );
      model = opening;
      remotes.set(identity, model);
      model.then(
        ({ handle, breaker, shedLate, queue }) => {
          retire(gone.get(identity));
          gone.delete(identity);
          remoteSheds.set(queue, shedLate);
          remoteReports.set(queue, () => ({
            ...{ model: handle.version, version: handle.version, provider: handle.provider, ...handle.stats() },
            ...{ isOpen: breaker.isOpen, openings: breaker.openings },
          }));
        },
        () => remotes.delete(identity),
      );
    }
    return model;
  }

  /** Ends a remote model when its calls have ended: its next one is there. */
  function retire(model: RemoteModel | undefined): void {
    if (model === undefined) return;
    remoteSheds.delete(model.queue);
    remoteReports.delete(model.queue);
    const left = model.queue
      .idle()
      .then(model.close)
      .finally(() => leaving.delete(left));
    leaving.add(left);
  }

  /** `identityOf` says which model it is, for all processes. Where nobody knows, nothing is remembered. */
  async function withCache<M extends { readonly handle: ModelHandle }>(
    opening: Promise<M>,
    { cacheBytesMax }: ModelSpec,
    identityOf: (model: M) => string | undefined,
  ): Promise<M> {
    const model = await opening;
    if (cacheBytesMax === undefined) return model;
    const { handle } = model;
    const identity = identityOf(model);
    if (identity === undefined) return model;
    const shared = answers && sharedAnswers(answers, identity, handle.outputSize);
    return { ...model, handle: cached(handle, cacheBytesMax, shared) };
  }

  async function openOne(spec: ModelSpec): Promise<Opened> {
    if (closed) throw serviceClosed();
    checkSpec(spec);
    const server = remoteOf(spec.providers);
    if (server !== undefined) return await remote(spec, server);
    return await served(await fileOf(spec), spec);
  }

  async function shutDown(): Promise<void> {
    clearInterval(watch);
    clearInterval(checking);
    await checked;
    await residents.idle();
    for (const model of await Promise.allSettled([...models.values(), ...remotes.values(), ...gone.values()])) {
      if (model.status === 'rejected') continue;
      model.value.queue.flush();
      await model.value.queue.idle();
    }
    await Promise.all(leaving);
    for (const model of await Promise.allSettled([...remotes.values(), ...gone.values()]))
      if (model.status === 'fulfilled') model.value.close();
    await Promise.all(slots.map((slot) => slot.close()));
    for (const file of files.values()) await file.close();
  }

  return {
    models: () => [...reports, ...remoteReports.values()].map((report) => report()),
    open: (spec) => openChain(spec, openOne, onWarning),
    close() {
      closed ??= shutDown();
      return closed;
    },
  };
}

function checkSpec({ batchMax, waitMax, providers }: ModelSpec): void {
  const refuse = (message: string, hint: string): never => {
    throw new MillraceError('model', message, { hint });
  };
  if (!Number.isSafeInteger(batchMax) || batchMax < 1)
    refuse(`batchMax is ${batchMax}`, 'give a number of rows, from 1');
  if (!(waitMax >= 0)) refuse(`waitMax is ${waitMax}`, 'give milliseconds, from 0');
  if (providers.length === 0) refuse('no provider is declared', "give at least one, e.g. ['cpu']");
}

const serviceClosed = () => new MillraceError('model', 'the inference service is closed');
