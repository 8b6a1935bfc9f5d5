import { type FillRow, type RunResult, type TensorData, type Tier, tiers, type Urgency } from '../../core/index.js';
import { DurationHistogram } from '../../util/duration-histogram.js';
import { type CallGate, rowsAtGate } from './at-gate.js';
import { batchSizes } from './batch-sizes.js';
import { batchSums } from './batch-sums.js';
import type { BufferPool } from './buffers.js';
import {
  type Answer,
  answerSpans,
  type Call,
  dueMs,
  failSpans,
  newCall,
  notFiniteIn,
  type QueueStats,
  type Span,
  sameForAll,
  settleCall,
  settleInOrder,
  shedRows,
} from './calls.js';
import { createLanes, entriesOf, type Waiting } from './lanes.js';
import type { LatencyCurve } from './latency-curve.js';
import { type Layout, type Texts, textsIn, viewsOf } from './layout.js';
import { type Piece, partsOf } from './pieces.js';
import type { QueueContext, Schedulable } from './schedulable.js';

/** Rows of one length bucket for a worker, laid out in `input`. */
export interface Batch {
  readonly bucket: number;
  readonly layout: Layout;
  readonly input: ArrayBuffer;
  /** Beside the numbers in `input`; nothing where the model takes no texts. */
  readonly texts: Texts | undefined;
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
  /** The share of the workers' time beside other models (default 1). */
  readonly weight?: number;
  /** How many rows may wait where others can answer in place of the model (default 64 batches). */
  readonly queueMax?: number;
  /** By length bucket, what a batch takes; without them a batch is as large as it may be. */
  readonly curves?: readonly LatencyCurve[];
  readonly pool: BufferPool;
  /** The way to a model that may not be in memory: a call begins when it is. */
  readonly gate?: CallGate;
  /** Sends a batch to a worker; its end comes back through `complete`, `fail` or `lose`. */
  dispatch(batch: Batch, worker: number): void;
}

/** The batches of a model, as its callers and its workers see them. */
export interface ModelQueue {
  /**
   * `fill` is called for each row when its batch leaves; what it throws rejects the call. Calls without an urgency are settled in the
   * order in which they were made, others as soon as they are answered: a row of a low tier must not keep back one of a high tier.
   */
  run(rows: number, fill: FillRow, bucketOf?: (row: number) => number, urgency?: Urgency): Promise<RunResult>;
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
  stats(): QueueStats;
}

interface SentBatch extends Piece, Batch {
  readonly worker: number;
  readonly expectedMs: number;
}

/** Deaths after which a row is given up: so many has only one that is alone. */
const GIVEN_UP_AFTER = 3;
const QUEUED_BATCHES = 64;
const noUrgency: Urgency = {};
const alwaysOpen: CallGate = { enter: (begin) => begin(), enterNow: () => true, leave() {} };

/**
 * The rows of one model on their way into batches and back to their callers, as pure logic. A batch is put together when it leaves: in
 * turn by tier, deadline and age, as large as answers the most rows a second, or smaller if the first row is in time only then.
 *
 * Rows with a deadline that somebody else can answer are *shed*, lowest tiers first: when they come, if so much waits before them that
 * they would be late, or more than `queueMax` wait; and before a batch leaves, if they have become too late for it. They do not wait
 * longer for a model that is not in memory either.
 *
 * Memory: an entry for neighbouring rows of a call; the rows themselves stay with the callers until their batch leaves.
 */
export function modelQueue(options: QueueOptions, context: QueueContext): ModelQueue & Schedulable {
  const { outputSize, batchMax, waitMax, curves, pool, weight = 1, queueMax = QUEUED_BATCHES * batchMax } = options;
  const { gate = alwaysOpen } = options;
  const { nowMs } = context;
  const lanes = createLanes();
  /** Batches of lost workers, the next one first. */
  const again: Piece[] = [];
  /** By bucket, how many rows are to leave at once. */
  const flushed = new Map<number, number>();
  const buckets: number[] = [];
  // What waits for answers: batches, calls that are settled in order, and how many others. Sets would not do: of one that is filled and
  // emptied all the time, tables that are dead in old space keep the next ones alive, and so the calls in them.
  const underWay: SentBatch[] = [];
  const calls: Call[] = [];
  let others = 0;
  const versions = sameForAll(options.version);
  const idleWaiters: (() => void)[] = [];
  const counts = { rows: 0, failed: 0, batches: 0, lost: 0, workerMs: 0, late: 0, notFinite: 0 };
  const sizes = batchSums();
  const answerTimes = new DurationHistogram();
  const shedByTier = tiers.map(() => 0);
  let mayShed = false;

  const { growsTo, msOf, fullRows, sizeOf, stages, isDue } = batchSizes({ batchMax, curves, lanes });

  /** Whether a batch may leave behind a running one: it gains nothing by waiting. */
  const mayStage = (bucket: number, startsInMs: number) =>
    (flushed.get(bucket) ?? 0) > 0 ||
    ((lanes.rows(bucket) >= fullRows(bucket) || isDue(bucket, startsInMs)) && stages(bucket));
  const isReady = (bucket: number, startsInMs: number) =>
    mayStage(bucket, startsInMs) || nowMs() - lanes.sinceMs(bucket) >= waitMax;
  function hasSome(is: (bucket: number, startsInMs: number) => boolean, startsInMs: number): boolean {
    for (const bucket of buckets) if (lanes.rows(bucket) > 0 && is(bucket, startsInMs)) return true;
    return false;
  }
  const isWaiting = () => again.length > 0 || lanes.rows() > 0;

  function admit(entry: Waiting): void {
    const { bucket, tier, sheds } = entry;
    if (!buckets.includes(bucket)) buckets.push(bucket);
    if (sheds && answeredInMs(entry) > dueMs(entry) - nowMs()) {
      shed(entry, 'too much waits before it');
      return;
    }
    lanes.add(entry);
    mayShed ||= sheds;
    const tooMany = lanes.rows() - queueMax;
    if (tooMany <= 0 || !mayShed) return;
    const lowest = lanes.removeLowest(tooMany, tier);
    for (const each of lowest) shed(each, `more than ${queueMax} rows wait`);
    settle(lowest);
  }

  /** When the last of these rows would be answered, if the rows before them leave in batches of the best size. */
  function answeredInMs({ bucket, tier, rows }: Waiting): number {
    const full = fullRows(bucket);
    const before = lanes.rowsBefore(tier) + rows;
    const batches = Math.ceil(before / full) - 1;
    const own = msOf(bucket, batches === 0 ? 1 : full);
    return context.startsInMs() + (batches * msOf(bucket, full)) / context.workers() + own;
  }

  function shed({ call, first, rows, tier }: Waiting, why: string): void {
    (shedByTier[tier] as number) += rows;
    shedRows(call, first, rows, `the model is overloaded: ${why}`);
  }

  /** Leaves rows to others that would be late in the next batch: a full one, or one that is as small as it need be. */
  function shedLate(startsInMs: number): void {
    if (!mayShed || lanes.rows() === 0) return;
    for (const bucket of buckets) {
      const full = fullRows(bucket);
      const ms = msOf(bucket, lanes.rows(bucket) > full ? full : 1);
      const late = lanes.removeLate(bucket, nowMs() + startsInMs + ms);
      for (const each of late) shed(each, 'it has waited too long');
      settle(late);
    }
  }

  /** The next batch: one of a lost worker, or what is next in turn of the buckets that may leave. */
  function nextPiece(isIdle: boolean, startsInMs: number): Piece | undefined {
    const lost = again.shift();
    if (lost !== undefined) return lost;
    shedLate(startsInMs);
    const bucket = lanes.next(
      isIdle ? buckets : buckets.filter((each) => lanes.rows(each) > 0 && isReady(each, startsInMs)),
    );
    if (bucket === undefined) return undefined;
    const now = nowMs();
    const waitMs = now - lanes.sinceMs(bucket);
    const spans = lanes.take(bucket, sizeOf(bucket, now + startsInMs), now);
    const rows = rowsIn(spans);
    flushed.set(bucket, Math.max(0, (flushed.get(bucket) ?? 0) - rows));
    return { bucket, layout: options.layoutOf(bucket, growsTo(bucket)), spans, rows, waitMs, deaths: 0 };
  }

  /** Writes the rows of a piece. Calls that cannot write theirs are rejected, and the others keep their places in a smaller one. */
  function filled(piece: Piece, worker: number): SentBatch | undefined {
    const { bucket, layout, waitMs, deaths } = piece;
    const input = bufferFor(piece);
    if (input === undefined) return undefined;
    const views = viewsOf(layout, input);
    const spans: Span[] = [];
    const broken: Span[] = [];
    let place = 0;
    for (const span of piece.spans) {
      if (span.call.error === undefined && write(span, views, place)) {
        spans.push(span.inBatch === place ? span : { ...span, inBatch: place });
        place += span.rows;
        continue;
      }
      span.call.left -= span.rows;
      broken.push(span);
    }
    if (broken.length > 0) settle(broken);
    if (place === 0) {
      pool.give(input);
      return undefined;
    }
    const expectedMs = msOf(bucket, place);
    // Property by property: to copy objects costs more than to fill a small batch.
    return { bucket, layout, spans, rows: place, waitMs, deaths, input, texts: textsIn(views), worker, expectedMs };
  }

  /** Without memory for a batch the calls with rows in it are rejected. */
  function bufferFor({ layout, spans }: Piece): ArrayBuffer | undefined {
    try {
      return pool.take(layout.byteLength);
    } catch (cause) {
      failSpans(spans, cause);
      settle(spans);
      return undefined;
    }
  }

  function write({ call, inCall, rows }: Span, views: readonly TensorData[], place: number): boolean {
    try {
      for (let row = 0; row < rows; row++) call.fill(inCall + row, views, place + row);
      return true;
    } catch (cause) {
      call.error = { cause };
      call.left -= lanes.removeCall(call);
      return false;
    }
  }

  function finish(batch: Batch): SentBatch | undefined {
    // An answer that comes after its worker was given up belongs to nobody any more.
    const at = underWay.indexOf(batch as SentBatch);
    return at < 0 ? undefined : underWay.splice(at, 1)[0];
  }

  /** Settles what has its answers; of the calls out of order, `some`. */
  function settle(some: readonly { readonly call: Call }[]): void {
    let settled = settleInOrder(calls, versions);
    for (const { call } of some) {
      if (call.left > 0 || call.isInOrder || call.isSettled) continue;
      settleCall(call, versions);
      others--;
      settled++;
    }
    for (; settled > 0; settled--) gate.leave();
    if (isIdle()) for (const done of idleWaiters.splice(0)) done();
  }

  const isIdle = () => calls.length + others === 0;

  function noteAnswered(spans: readonly Span[]): void {
    const now = nowMs();
    for (const span of spans) {
      answerTimes.record(now - span.call.sinceMs, span.rows);
      if (dueMs(span) < now) counts.late += span.rows;
    }
  }

  function begin(call: Call, entries: readonly Waiting[]): void {
    if (call.isInOrder) calls.push(call);
    else others++;
    for (const entry of entries) admit(entry);
    if (call.left === 0) settle([{ call }]);
    context.onWaiting();
  }

  const atGate = rowsAtGate({
    ...{ gate, queueMax, nowMs, msOf: (bucket) => msOf(bucket, 1), begin, shed },
    settle: (call) => settleCall(call, versions),
  });

  return {
    usedMs: 0,
    weight,

    run(rows, fill, bucketOf, urgency = noUrgency) {
      const call = newCall({ fill, outputSize, rows, sinceMs: nowMs(), isInOrder: urgency === noUrgency });
      try {
        // What the caller's functions throw rejects the call: nothing of it waits yet.
        const entries = entriesOf(call, bucketOf, urgency);
        if (gate.enterNow()) begin(call, entries);
        else atGate.wait(call, entries);
      } catch (cause) {
        call.reject(cause);
      }
      return call.answered;
    },

    flush() {
      for (const bucket of buckets) flushed.set(bucket, lanes.rows(bucket));
      context.onWaiting();
    },

    complete(batch, answer, ms) {
      const sent = finish(batch);
      if (sent === undefined) return;
      curves?.[sent.bucket]?.observe(sent.rows, ms);
      // The worker first: it should not idle while answers are counted and copied.
      context.onFree(sent.worker, ms - sent.expectedMs);
      counts.batches++;
      counts.rows += sent.rows;
      counts.failed += answer.failures.length;
      counts.notFinite += notFiniteIn(answer, sent.rows, outputSize);
      counts.workerMs += ms;
      sizes.add(sent.rows, sent.waitMs, ms);
      noteAnswered(sent.spans);
      answerSpans(sent.spans, answer);
      settle(sent.spans);
    },

    fail(batch, cause) {
      const sent = finish(batch);
      if (sent === undefined) return;
      failSpans(sent.spans, cause);
      context.onFree(sent.worker, 0);
      settle(sent.spans);
    },

    lose(batch, isSuspect) {
      const sent = finish(batch);
      if (sent === undefined) return;
      pool.give(sent.input);
      counts.lost++;
      const deaths = sent.deaths + (isSuspect ? 1 : 0);
      if (deaths >= GIVEN_UP_AFTER) {
        const failures = [[0, `the inference worker died or hung ${deaths} times at this row`]] as const;
        counts.rows++;
        counts.failed++;
        answerSpans(sent.spans, { scores: new Float32Array(outputSize), failures, degraded: null });
      } else again.unshift(...partsOf(sent, deaths));
      context.onFree(sent.worker, 0);
      settle(sent.spans);
    },

    idle: () => (isIdle() ? Promise.resolve() : new Promise((done) => idleWaiters.push(done))),

    stats: () => ({
      ...counts,
      sizes: sizes.all(),
      answerMs: { p50: answerTimes.quantileMs(0.5), p99: answerTimes.quantileMs(0.99) },
      shed: Object.fromEntries(tiers.map((tier, i) => [tier, shedByTier[i]])) as Record<Tier, number>,
      waiting: lanes.rows() + atGate.rows() + again.reduce((sum, { rows }) => sum + rows, 0),
      batchRows: curves?.map((_, bucket) => growsTo(bucket)) ?? [batchMax],
      slowness: Math.max(...(curves?.map((curve) => curve.pace()) ?? [1])),
    }),

    isWaiting,
    hasFull: (startsInMs) => again.length > 0 || hasSome(mayStage, startsInMs),
    hasLost: () => again.length > 0,
    hasReady: (startsInMs) => again.length > 0 || hasSome(isReady, startsInMs),

    send(worker, isIdle, startsInMs) {
      for (let piece = nextPiece(isIdle, startsInMs); piece !== undefined; piece = nextPiece(isIdle, startsInMs)) {
        const batch = filled(piece, worker);
        if (batch === undefined) continue;
        underWay.push(batch);
        options.dispatch(batch, worker);
        return batch.expectedMs;
      }
      return undefined;
    },

    shedLate() {
      atGate.shedLate();
      shedLate(context.startsInMs());
    },
  };
}

const rowsIn = (spans: readonly Span[]): number => spans.reduce((sum, { rows }) => sum + rows, 0);
