import { messageOf } from '../../core/index.js';
import type { Scored } from '../workers/protocol.js';
import { gather, type RunRows } from './values.js';

/** The largest number of rows that a session can take at once, as far as known. */
export interface Ceiling {
  rows: number;
  /** Full runs since it was last changed. */
  runs: number;
}

export const noCeiling = (): Ceiling => ({ rows: Number.POSITIVE_INFINITY, runs: 0 });

export interface Rows {
  readonly rows: number;
  readonly outputSize: number;
  readonly ceiling: Ceiling;
  readonly run: RunRows;
  /** Scores a row that is known to work; rejects if the session is broken. */
  probe(): Promise<unknown>;
}

/** Runs at the limit before twice as many rows are tried again, since memory may be free by then. */
const raiseAfterRuns = 64;

// Messages of ONNX Runtime's arena, of CUDA and its libraries, and of a failed allocator.
const outOfMemory = /failed to allocate|out of memory|bad_alloc|alloc_failed|can't allocate/i;
export const isOutOfMemory = (error: unknown): boolean => outOfMemory.test(messageOf(error));

/** Where ONNX Runtime says in which line of its own sources, and in which C++ function, it found an error. */
const ownSources = / ?\/onnxruntime_src\/\S+:\d+ .+?\)(?: const)?(?= [A-Z])/g;

/** What ONNX Runtime says of an error, without the places in its sources. */
export const whatRuntimeSays = (error: unknown): string => messageOf(error).trim().replaceAll(ownSources, '');

/**
 * Scores a batch despite errors. If memory runs out, it halves the batch and remembers the size. On any other error it halves the
 * batch until the rows that cause it are found, and answers the rest.
 *
 * A row counts as failed only if a row that is known to work still works. If the session is broken, the whole batch is rejected;
 * otherwise a healthy stream would go to the dead letters.
 */
export async function scoreRows(batch: Rows): Promise<Scored> {
  const { ceiling } = batch;
  if (batch.rows <= ceiling.rows) {
    try {
      const { scores, discrete } = await batch.run(0, batch.rows);
      return discrete === undefined ? { scores, failures: [] } : { scores, discrete, failures: [] };
    } catch (error) {
      return await scoreParts(batch, batch.rows, error);
    }
  }
  return await scoreParts(batch, batch.rows, undefined);
}

async function scoreParts(batch: Rows, rows: number, firstError: unknown): Promise<Scored> {
  const answered = gather(rows, batch.outputSize);
  const failures: [number, string][] = [];

  async function score(from: number, count: number): Promise<void> {
    if (count > batch.ceiling.rows) return await halve(from, count);
    try {
      answered.write(from, await batch.run(from, count));
      noteSuccess(batch.ceiling, count);
    } catch (error) {
      await recover(from, count, error);
    }
  }

  async function recover(from: number, count: number, error: unknown): Promise<void> {
    if (count === 1) {
      await batch.probe();
      failures.push([from, whatRuntimeSays(error)]);
      return;
    }
    if (isOutOfMemory(error)) lower(batch.ceiling, count);
    await halve(from, count);
  }

  async function halve(from: number, count: number): Promise<void> {
    const half = Math.ceil(count / 2);
    await score(from, half);
    await score(from + half, count - half);
  }

  await (firstError === undefined ? score(0, rows) : recover(0, rows, firstError));
  return { ...answered.values(), failures };
}

function lower(ceiling: Ceiling, failedRows: number): void {
  ceiling.rows = Math.ceil(failedRows / 2);
  ceiling.runs = 0;
}

function noteSuccess(ceiling: Ceiling, rows: number): void {
  if (rows * 2 <= ceiling.rows || ++ceiling.runs < raiseAfterRuns) return;
  ceiling.rows *= 2;
  ceiling.runs = 0;
}
