import type { FillRow, RunResult, TensorData } from '../core/index.js';
import type { BufferPool } from './buffers.js';
import { type Layout, viewsOf } from './layout.js';

/** Rows of one length bucket for a worker, laid out in `input`. */
export interface Batch {
  readonly bucket: number;
  readonly input: ArrayBuffer;
  rows: number;
}

/** The answer for a batch: `outputSize` numbers per row, and the rows (of the batch) that failed on their own. */
export interface Answer {
  readonly scores: Float32Array;
  readonly failures: readonly (readonly [row: number, cause: string])[];
  readonly degraded: string | null;
}

export interface SchedulerOptions {
  /** The layout of batches by length bucket. Rows of different length buckets never share a batch. */
  readonly buckets: readonly Layout[];
  readonly outputSize: number;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long a batch may wait for more rows after a running one, in milliseconds. */
  readonly waitMax: number;
  /** Batches in flight: two per worker, so that the next one is ready when one ends. */
  readonly inFlightMax: number;
  readonly pool: BufferPool;
  /** Sends a batch; its result comes back through `complete` or `fail`. */
  dispatch(batch: Batch): void;
  nowMs(): number;
  /** Calls `wake` once after `delayMs`; returns a function that cancels it. */
  startTimer(delayMs: number, wake: () => void): () => void;
}

export interface Scheduler {
  /** `fill` is called for each row before `run` returns, in order. Calls are settled in the order in which they were made. */
  run(rows: number, fill: FillRow, bucketOf?: (row: number) => number): Promise<RunResult>;
  /** Dispatches the waiting rows at once. */
  flush(): void;
  complete(batch: Batch, answer: Answer): void;
  /** Rejects the calls with rows in this batch; the others continue. */
  fail(batch: Batch, error: unknown): void;
  /** Resolves when every call is settled. */
  idle(): Promise<void>;
}

/** The part of a call that is in one batch. */
interface Span {
  readonly call: Call;
  /** The first row, counted in the call and in the batch. */
  readonly inCall: number;
  readonly inBatch: number;
  rows: number;
}

interface Call {
  readonly scores: Float32Array;
  failures: Map<number, string> | undefined;
  degraded: string | null;
  /** Rows without an answer yet. */
  left: number;
  error: { readonly cause: unknown } | undefined;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (cause: unknown) => void;
}

interface OpenBatch extends Batch {
  readonly views: readonly TensorData[];
  readonly spans: Span[];
  readonly openedAtMs: number;
  /** A caller drains: do not wait for more rows. */
  flushed: boolean;
}

const noFailures: ReadonlyMap<number, string> = new Map();
const firstBucket = () => 0;

/**
 * Micro-batching as pure logic: packs the rows of many callers into batches and distributes the answers.
 *
 * A batch leaves at once if none is in flight. Otherwise it grows until it is full, has waited `waitMax`, is flushed, or the worker
 * becomes idle. So the load decides the size of batches, and an idle worker never waits for a timer (natural batching, as in TF
 * Serving's adaptive scheduler and in Triton with a queue delay of zero).
 *
 * Memory: the rows of the callers, rounded up to one batch per length bucket.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { buckets, outputSize, batchMax, inFlightMax, pool } = options;
  /** In the order in which they were opened. */
  const waiting: OpenBatch[] = [];
  const underWay = new Map<Batch, OpenBatch>();
  const calls = new Set<Call>();
  const idleWaiters: (() => void)[] = [];
  let alarm: { readonly batch: OpenBatch; readonly cancel: () => void } | undefined;

  function batchWithRoom(bucket: number): OpenBatch {
    const tail = waiting.findLast((batch) => batch.bucket === bucket);
    if (tail !== undefined && tail.rows < batchMax) return tail;
    const layout = buckets[bucket] as Layout;
    const input = pool.take(layout.byteLength);
    const views = viewsOf(layout, input);
    const batch: OpenBatch = { bucket, input, views, rows: 0, spans: [], openedAtMs: options.nowMs(), flushed: false };
    waiting.push(batch);
    return batch;
  }

  function write(call: Call, rows: number, fill: FillRow, bucketOf: (row: number) => number): void {
    for (let row = 0; row < rows; ) {
      const bucket = bucketOf(row);
      const batch = batchWithRoom(bucket);
      const { views } = batch;
      const first = row;
      let place = batch.rows;
      do fill(row++, views, place++);
      while (row < rows && place < batchMax && bucketOf(row) === bucket);
      batch.spans.push({ call, inCall: first, inBatch: batch.rows, rows: row - first });
      batch.rows = place;
    }
  }

  const remove = (batch: OpenBatch) => waiting.splice(waiting.indexOf(batch), 1);

  /** Removes the rows of a call whose `fill` threw; none of them has left yet. */
  function undo(call: Call): void {
    for (const batch of [...waiting]) {
      while (batch.spans.at(-1)?.call === call) batch.rows -= batch.spans.pop()?.rows ?? 0;
      if (batch.rows > 0) continue;
      remove(batch);
      pool.give(batch.input);
    }
  }

  function isDue(batch: OpenBatch): boolean {
    return (
      underWay.size === 0 ||
      batch.rows === batchMax ||
      batch.flushed ||
      options.nowMs() - batch.openedAtMs >= options.waitMax
    );
  }

  function pump(): void {
    const nextDue = () => (underWay.size < inFlightMax ? waiting.find(isDue) : undefined);
    for (let batch = nextDue(); batch !== undefined; batch = nextDue()) {
      remove(batch);
      underWay.set(batch, batch);
      options.dispatch(batch);
    }
    // If all places are taken, the next answer checks again; an alarm is only needed for a free place.
    setAlarm(underWay.size < inFlightMax ? waiting[0] : undefined);
  }

  function setAlarm(batch: OpenBatch | undefined): void {
    if (alarm?.batch === batch) return;
    alarm?.cancel();
    alarm = undefined;
    if (batch === undefined) return;
    const wake = () => {
      alarm = undefined;
      pump();
    };
    alarm = { batch, cancel: options.startTimer(batch.openedAtMs + options.waitMax - options.nowMs(), wake) };
  }

  function settleInOrder(): void {
    for (const call of calls) {
      if (call.left > 0) break;
      calls.delete(call);
      const { scores, failures = noFailures, degraded } = call;
      if (call.error === undefined) call.resolve({ scores, failures, degraded });
      else call.reject(call.error.cause);
    }
    if (calls.size === 0) for (const done of idleWaiters.splice(0)) done();
  }

  function finish(batch: Batch): readonly Span[] {
    const spans = underWay.get(batch)?.spans ?? [];
    underWay.delete(batch);
    return spans;
  }

  return {
    run(rows, fill, bucketOf = firstBucket) {
      return new Promise((resolve, reject) => {
        const scores = new Float32Array(rows * outputSize);
        const call: Call = {
          scores,
          failures: undefined,
          degraded: null,
          left: rows,
          error: undefined,
          resolve,
          reject,
        };
        try {
          write(call, rows, fill, bucketOf);
        } catch (error) {
          undo(call);
          reject(error);
          return;
        }
        calls.add(call);
        pump();
        if (rows === 0) settleInOrder();
      });
    },

    flush() {
      for (const batch of waiting) batch.flushed = true;
      pump();
    },

    complete(batch, { scores, failures, degraded }) {
      const spans = finish(batch);
      // The worker first: it should not idle while results are copied.
      pump();
      for (const { call, inCall, inBatch, rows } of spans) {
        call.scores.set(scores.subarray(inBatch * outputSize, (inBatch + rows) * outputSize), inCall * outputSize);
        for (const [row, cause] of failures) {
          if (row < inBatch || row >= inBatch + rows) continue;
          call.failures ??= new Map();
          call.failures.set(row - inBatch + inCall, cause);
        }
        call.degraded ??= degraded;
        call.left -= rows;
      }
      settleInOrder();
    },

    fail(batch, cause) {
      for (const { call, rows } of finish(batch)) {
        call.error ??= { cause };
        call.left -= rows;
      }
      pump();
      settleInOrder();
    },

    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise((done) => idleWaiters.push(done))),
  };
}
