import { MillraceError, type ModelHandle, type ModelSpec } from '../core/index.js';
import { bufferPool } from './buffers.js';
import { layoutOf } from './layout.js';
import type { LoadedModel } from './protocol.js';
import { type Batch, createScheduler, type Scheduler } from './scheduler.js';
import type { WorkerLink } from './worker-link.js';

/** Two batches in flight: one runs, one waits in the worker's queue. */
const inFlightMax = 2;

export interface ModelFile {
  /** The name in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** A loaded model: its scheduler, and its current session in the worker. */
export interface ServedModel {
  readonly handle: ModelHandle;
  readonly scheduler: Scheduler;
}

/**
 * Loads a model in the worker and creates its scheduler. The file's bytes are kept, so a restarted worker loads exactly the same
 * model, whatever happened to the file.
 */
export async function serveModel(
  file: ModelFile,
  spec: ModelSpec,
  link: WorkerLink,
  warn: (message: string) => void,
): Promise<ServedModel> {
  let life = -1;
  let loading: Promise<LoadedModel> | undefined;

  async function load(): Promise<LoadedModel> {
    link.start();
    life = link.life;
    const { bytes, digest } = file;
    const { providers, batchMax, tensors } = spec;
    const ask = { digest, bytes, providers, batchMax, ...(tensors && { tensors }) };
    try {
      const answer = await link.request('load', ask);
      for (const why of answer.refusals) warn(`${file.name} does not run on ${why}; it runs on ${answer.provider}`);
      return answer;
    } catch (error) {
      life = -1;
      throw inFile(file, error);
    }
  }

  let current = await load();
  const { inputs, lengths, outputSize } = current;
  const pool = bufferPool(inFlightMax + 2);
  const scheduler = createScheduler({
    buckets: lengths.map((length) => layoutOf(inputs, length, spec.batchMax)),
    outputSize,
    batchMax: spec.batchMax,
    waitMax: spec.waitMax,
    inFlightMax,
    pool,
    dispatch: (batch) => {
      score(batch).catch((error: unknown) => scheduler.fail(batch, error));
    },
    nowMs: () => performance.now(),
    startTimer(delayMs, wake) {
      const timer = setTimeout(wake, delayMs);
      return () => clearTimeout(timer);
    },
  });

  async function score(batch: Batch): Promise<void> {
    link.start();
    if (life !== link.life || loading !== undefined) await reload();
    const { session, provider } = current;
    const { bucket, rows } = batch;
    const ask = { session, bucket, rows, rowsMax: spec.batchMax, input: batch.input };
    const { scores, failures, input } = await link.request('run', ask, [batch.input]);
    pool.give(input);
    scheduler.complete(batch, { scores, failures, degraded: provider === spec.providers[0] ? null : provider });
  }

  async function reload(): Promise<void> {
    loading ??= load();
    try {
      current = await loading;
    } finally {
      loading = undefined;
    }
  }

  const handle: ModelHandle = {
    inputs,
    lengths,
    outputSize,
    get provider() {
      return current.provider;
    },
    version: file.digest,
    run: scheduler.run,
    flush: scheduler.flush,
  };
  return { handle, scheduler };
}

const inFile = ({ name }: ModelFile, error: unknown): unknown =>
  error instanceof MillraceError
    ? new MillraceError(error.code, error.message, {
        where: name,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      })
    : error;
