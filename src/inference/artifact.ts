import type { ModelSpec } from '../core/index.js';
import { MillraceError } from '../core/index.js';
import type { ModelFile } from './model-file.js';
import type { Gate, Residents } from './residency/residents.js';
import { overheadOf } from './workers/overhead.js';
import type { LoadedModel } from './workers/protocol.js';
import { WorkerLost } from './workers/worker-link.js';
import type { Loading, WorkerSlot } from './workers/worker-slot.js';

export interface Place {
  readonly slot: WorkerSlot;
  /** Keeps batches away from the worker while it works at something long, unless it is the only one. One worker at a time is reserved. */
  reserve<T>(work: () => Promise<T>): Promise<T>;
}

/** A model file with its choice of tensors and providers: one session a worker, whoever asks for it. */
export interface Artifact {
  readonly gate: Gate;
  /** Loads it for batches of one more size, and measures what they take. */
  open(batchMax: number): Promise<Opened>;
}

export interface Opened {
  readonly model: LoadedModel;
  /** What a batch costs beside its run. */
  readonly overheadMs: number;
  /** What a worker that has been started again must load. */
  readonly loading: Loading;
}

/** What is loaded and released as one. */
export const artifactId = ({ digest }: ModelFile, { providers, tensors, isPinned = false }: ModelSpec): string =>
  JSON.stringify([digest, providers, tensors, isPinned]);

/**
 * One session in each worker, which goes and comes back as `residents` says. Where there are several workers, one loads, measures or
 * releases it while the others score.
 */
export function createArtifact(
  file: ModelFile,
  spec: ModelSpec,
  { places, residents }: { readonly places: readonly Place[]; readonly residents: Residents },
): Artifact {
  const { digest, place, bytes: fileBytes, data } = file;
  const { providers, tensors, isPinned = false } = spec;
  const id = artifactId(file, spec);
  const allBytes = data.reduce((sum, { bytes }) => sum + bytes, fileBytes);
  /** For each size of batches that callers ask for, once it was loaded. */
  const proven: Loading[] = [];
  /** The one that is loaded for the first time. */
  let candidate: Loading | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const gate = residents.gate({ name: file.name, isPinned, fileBytes: places.length * allBytes, load, unload });

  const insistOn = <T>({ slot, reserve }: Place, work: () => Promise<T>): Promise<T> =>
    reserve(() => insist(file, slot, work));

  async function load() {
    const cost = { bytes: 0, loadMs: 0 };
    for (const place of places) {
      for (const loading of proven.length > 0 ? proven : [candidate as Loading]) {
        const { memoryBytes, loadMs } = await insistOn(place, () => place.slot.load(loading));
        cost.bytes += memoryBytes;
        cost.loadMs += loadMs;
      }
    }
    return cost;
  }

  /** To give back hundreds of megabytes takes the worker some milliseconds. */
  async function unload(): Promise<void> {
    for (const { slot, reserve } of places) await reserve(() => slot.unload(id));
  }

  async function openNow(batchMax: number): Promise<Opened> {
    const loading: Loading = {
      ask: {
        artifact: id,
        digest,
        place,
        fileBytes,
        providers,
        batchMax,
        ...(data.length > 0 && { data }),
        ...(tensors && { tensors }),
      },
    };
    candidate = loading;
    return await gate.hold(async () => {
      const [first, ...others] = places as readonly [Place, ...Place[]];
      const isMore = proven.length > 0;
      const { model, overheadMs } = await insistOn(first, async () => {
        const model = await first.slot.load(loading);
        return { model, overheadMs: await overheadOf(first.slot, model) };
      });
      // From here on it need not be checked and measured again, wherever it is loaded.
      const { curves, inPairs } = model;
      loading.ask = { ...loading.ask, known: { curves, inPairs } };
      let { memoryBytes } = model;
      for (const place of others) memoryBytes += (await insistOn(place, () => place.slot.load(loading))).memoryBytes;
      proven.push(loading);
      // The first size was counted when the model was brought into memory.
      if (isMore) gate.grow(memoryBytes);
      return { model, overheadMs, loading };
    });
  }

  return {
    gate,
    open(batchMax) {
      const opened = turn.then(() => openNow(batchMax));
      turn = opened.catch(() => {});
      return opened;
    },
  };
}

/** The error with the file that it is about. */
export const inFile = ({ name }: ModelFile, error: unknown): unknown =>
  error instanceof MillraceError
    ? new MillraceError(error.code, error.message, {
        where: name,
        cause: error,
        permanent: error.permanent,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      })
    : error;

/** Repeats work that a dying worker interrupts. */
export async function insist<T>(file: ModelFile, slot: WorkerSlot, work: () => Promise<T>): Promise<T> {
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
