import type { FillRow, ModelStats, RunResult, TensorData } from '../../core/index.js';
import type { BufferPool } from './buffers.js';
import {
  type Answer,
  answerSpans,
  type Call,
  cutSpans,
  failSpans,
  type Span,
  sameForAll,
  settleInOrder,
} from './calls.js';
import type { LatencyCurve } from './latency-curve.js';
import { type Layout, viewsOf } from './layout.js';

/** Rows of one length bucket for a worker, laid out in `input`. */
export interface Batch {
  readonly bucket: number;
  readonly layout: Layout;
  readonly input: ArrayBuffer;
  readonly rows: number;
}

export interface QueueOptions {
  /** The layout of a batch of up to `rows` rows of a length bucket. Rows of different length buckets never share a batch. */
  layoutOf(bucket: number, rows: number): Layout;
  readonly outputSize: number;
  /** The digest of the model, which each answer has. */
  readonly version: string;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long a batch that is not full may be passed over by full ones of other models, in milliseconds. */
  readonly waitMax: number;
  /** By length bucket, what a batch takes; without them a batch is as large as it may be. */
  readonly curves?: readonly LatencyCurve[];
  readonly pool: BufferPool;
  /** Sends a batch to a worker; its end comes back through `complete`, `fail` or `lose`. */
  dispatch(batch: Batch, worker: number): void;
}

/** The batches of a model, as its callers and its workers see them. */
export interface ModelQueue {
  /** `fill` is called for each row before `run` returns, in order. Calls are settled in the order in which they were made. */
  run(rows: number, fill: FillRow, bucketOf?: (row: number) => number): Promise<RunResult>;
  /** Dispatches the waiting rows at once. */
  flush(): void;
  /** A batch is answered; its run took `ms`. */
  complete(batch: Batch, answer: Answer, ms: number): void;
  /** Rejects the calls with rows in this batch; the others continue. */
  fail(batch: Batch, error: unknown): void;
  /**
   * The worker of a batch died: it is filled again from its callers and sent again, before all others. `isSuspect` where the worker
   * was at this batch. A batch that kills its worker twice is halved, and so on, until the rows that do are alone; each of them then
   * fails, and all others are answered.
   */
  lose(batch: Batch, isSuspect: boolean): void;
  /** Resolves when every call is settled. */
  idle(): Promise<void>;
  stats(): Omit<ModelStats, 'runRows'>;
}

/** A queue as the scheduler sees it. */
export interface Schedulable {
  /** The worker time that it has used, in milliseconds; where it begins or comes back, that of the others. */
  usedMs: number;
  isWaiting(): boolean;
  /** Whether a batch waits that gets no better by waiting: it is full, or may not grow. */
  hasFull(): boolean;
  /** Whether a batch waits that is full, or has waited so long that it need not be. */
  hasReady(): boolean;
  /** Sends a batch: the oldest to an idle worker, one that is ready to a busy one. Returns the time that it will take. */
  send(worker: number, isIdle: boolean): number;
}

export interface QueueContext {
  nowMs(): number;
  /** Something has come that may leave. */
  onWaiting(): void;
  /** The worker of a batch has a free place. `extraMs` is what it took beyond what was expected. */
  onFree(worker: number, extraMs: number): void;
}

interface OpenBatch extends Batch {
  readonly views: readonly TensorData[];
  readonly spans: Span[];
  readonly openedAtMs: number;
  rows: number;
  /** No further rows: it goes as it is. */
  isClosed: boolean;
  /** How many workers died at it. */
  readonly deaths: number;
  worker: number;
  expectedMs: number;
}

/** Deaths after which a batch is halved, and after which a row is given up: so many has only one that is alone. */
const HALVED_AFTER = 2;
const GIVEN_UP_AFTER = 3;

const firstBucket = () => 0;

/**
 * The rows of one model on their way into batches and back to their callers, as pure logic.
 *
 * Memory: the rows of the callers, rounded up to one batch per length bucket.
 */
export function modelQueue(options: QueueOptions, context: QueueContext): ModelQueue & Schedulable {
  const { outputSize, batchMax, waitMax, curves, pool } = options;
  const { nowMs } = context;
  /** In the order in which they leave when they are due: lost ones first, then by age. */
  const waiting: OpenBatch[] = [];
  const underWay = new Set<Batch>();
  const calls = new Set<Call>();
  const versions = sameForAll(options.version);
  const idleWaiters: (() => void)[] = [];
  const counts = { rows: 0, failed: 0, batches: 0, lost: 0, workerMs: 0 };

  function newBatch(bucket: number, layout: Layout, spans: Span[], deaths: number): OpenBatch {
    const input = pool.take(layout.byteLength);
    const views = viewsOf(layout, input);
    const rows = spans.reduce((sum, span) => sum + span.rows, 0);
    const isClosed = rows > 0;
    return {
      bucket,
      layout,
      input,
      views,
      spans,
      rows,
      openedAtMs: nowMs(),
      isClosed,
      deaths,
      worker: -1,
      expectedMs: 0,
    };
  }

  const growsTo = (bucket: number) => Math.min(batchMax, curves?.[bucket]?.bestRows() ?? batchMax);

  function batchWithRoom(bucket: number): OpenBatch {
    const tail = waiting.findLast((batch) => batch.bucket === bucket);
    if (tail !== undefined && !tail.isClosed && tail.rows < tail.layout.rowsMax) return tail;
    const batch = newBatch(bucket, options.layoutOf(bucket, growsTo(bucket)), [], 0);
    waiting.push(batch);
    return batch;
  }

  function write(call: Call, bucketOf: (row: number) => number): void {
    for (let row = 0; row < call.rows; ) {
      const bucket = bucketOf(row);
      const batch = batchWithRoom(bucket);
      const { views, layout } = batch;
      const first = row;
      let place = batch.rows;
      do call.fill(row++, views, place++);
      while (row < call.rows && place < layout.rowsMax && bucketOf(row) === bucket);
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

  const isFull = ({ isClosed, rows, layout }: OpenBatch) => isClosed || rows === layout.rowsMax;
  const isReady = (batch: OpenBatch) => isFull(batch) || nowMs() - batch.openedAtMs >= waitMax;

  function finish(batch: Batch): OpenBatch | undefined {
    // An answer that comes after its worker was given up belongs to nobody any more.
    if (!underWay.delete(batch)) return undefined;
    return batch as OpenBatch;
  }

  function settle(): void {
    settleInOrder(calls, versions);
    if (calls.size === 0) for (const done of idleWaiters.splice(0)) done();
  }

  function failBatch(batch: OpenBatch, cause: unknown): void {
    failSpans(batch.spans, cause);
    context.onFree(batch.worker, 0);
    settle();
  }

  /** A batch in place of a lost one: some of its rows, filled again. */
  function refill({ bucket, layout, spans }: OpenBatch, from: number, to: number, deaths: number): OpenBatch {
    const again = newBatch(bucket, layout, cutSpans(spans, from, to), deaths);
    for (const { call, inCall, inBatch, rows } of again.spans)
      for (let row = 0; row < rows; row++) call.fill(inCall + row, again.views, inBatch + row);
    return again;
  }

  function piecesOf(lost: OpenBatch, deaths: number): OpenBatch[] {
    const { rows } = lost;
    if (rows === 1 || deaths < HALVED_AFTER) return [refill(lost, 0, rows, deaths)];
    const half = Math.ceil(rows / 2);
    return [refill(lost, 0, half, HALVED_AFTER - 1), refill(lost, half, rows, HALVED_AFTER - 1)];
  }

  return {
    usedMs: 0,

    run(rows, fill, bucketOf = firstBucket) {
      return new Promise((resolve, reject) => {
        const scores = new Float32Array(rows * outputSize);
        const call: Call = {
          ...{ fill, scores, rows, left: rows, resolve, reject },
          ...{ failures: undefined, degraded: undefined, error: undefined },
        };
        try {
          write(call, bucketOf);
        } catch (error) {
          undo(call);
          reject(error);
          return;
        }
        calls.add(call);
        if (rows === 0) return settle();
        context.onWaiting();
      });
    },

    flush() {
      for (const batch of waiting) batch.isClosed = true;
      context.onWaiting();
    },

    complete(batch, answer, ms) {
      const open = finish(batch);
      if (open === undefined) return;
      curves?.[open.bucket]?.observe(open.rows, ms);
      counts.batches++;
      counts.rows += open.rows;
      counts.failed += answer.failures.length;
      counts.workerMs += ms;
      // The worker first: it should not idle while results are copied.
      context.onFree(open.worker, ms - open.expectedMs);
      answerSpans(open.spans, answer, outputSize);
      settle();
    },

    fail(batch, cause) {
      const open = finish(batch);
      if (open !== undefined) failBatch(open, cause);
    },

    lose(batch, isSuspect) {
      const open = finish(batch);
      if (open === undefined) return;
      pool.give(open.input);
      counts.lost++;
      const deaths = open.deaths + (isSuspect ? 1 : 0);
      if (deaths >= GIVEN_UP_AFTER) {
        const failures = [[0, `the inference worker died or hung ${deaths} times at this row`]] as const;
        counts.rows++;
        counts.failed++;
        answerSpans(open.spans, { scores: new Float32Array(outputSize), failures, degraded: null }, outputSize);
      } else {
        try {
          waiting.unshift(...piecesOf(open, deaths));
        } catch (error) {
          return failBatch(open, error);
        }
      }
      context.onFree(open.worker, 0);
      settle();
    },

    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise((done) => idleWaiters.push(done))),

    stats: () => ({ ...counts, batchRows: curves?.map((_, bucket) => growsTo(bucket)) ?? [batchMax] }),

    isWaiting: () => waiting.length > 0,

    hasFull: () => waiting.some(isFull),
    hasReady: () => waiting.some(isReady),

    send(worker, isIdle) {
      const batch = (isIdle ? waiting[0] : waiting.find(isReady)) as OpenBatch;
      remove(batch);
      underWay.add(batch);
      batch.worker = worker;
      batch.expectedMs = curves?.[batch.bucket]?.ms(batch.rows) ?? batch.rows;
      options.dispatch(batch, worker);
      return batch.expectedMs;
    },
  };
}
