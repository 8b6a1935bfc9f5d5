import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { latencyCurve, type Point } from '../../src/inference/scheduling/latency-curve.js';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';
import { generator } from '../random.js';

/** How rows become batches. */
export type Rule = 'millrace' | 'greedy' | 'constant wait';

export interface Load {
  readonly rule: Rule;
  /** What runs take, by rising sizes. */
  readonly points: readonly Point[];
  readonly batchMax: number;
  readonly waitMax: number;
  /** The share of the rows a second that the model can score at its best size. */
  readonly share: number;
  readonly rows: number;
  readonly seed: number;
}

export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly rowsABatch: number;
  /** The share of rows that were answered within `deadlineMs`. */
  readonly inTime: number;
  /** `waitMax` and twice what 99 of 100 batches of the best size take at most. */
  readonly deadlineMs: number;
}

/** What a batch costs beside its run. */
export const OVERHEAD_MS = 0.03;

interface Pending {
  readonly atMs: number;
  readonly run: () => void;
}

/** One worker in virtual time, and what is to come. */
export function world() {
  let nowMs = 0;
  const pending = new Set<Pending>();
  return {
    nowMs: () => nowMs,
    at(atMs: number, run: () => void): () => void {
      const event = { atMs: Math.max(atMs, nowMs), run };
      pending.add(event);
      return () => void pending.delete(event);
    },
    /** Runs what is to come until a time. */
    until(endMs: number): void {
      while (step(endMs));
      nowMs = Math.max(nowMs, endMs);
    },
    /** The same, and what waits for it has its turn before the next. */
    async untilAsync(endMs: number): Promise<void> {
      while (step(endMs)) await Promise.resolve();
      nowMs = Math.max(nowMs, endMs);
    },
  };

  function step(endMs: number): boolean {
    let next: Pending | undefined;
    for (const event of pending) if (next === undefined || event.atMs < next.atMs) next = event;
    if (next === undefined || next.atMs > endMs) return false;
    pending.delete(next);
    nowMs = next.atMs;
    next.run();
    return true;
  }
}

/**
 * A worker that runs batches one after another. Half of what is beside the run is the way there, half the way back: a staged batch goes
 * its way while another runs.
 */
export function worker(time: ReturnType<typeof world>): (ms: number, answered: () => void) => void {
  const queued: (() => void)[] = [];
  let isBusy = false;
  const next = () => {
    isBusy = queued.length > 0;
    queued.shift()?.();
  };
  return (ms, answered) => {
    time.at(time.nowMs() + OVERHEAD_MS / 2, () => {
      queued.push(() =>
        time.at(time.nowMs() + ms, () => {
          time.at(time.nowMs() + OVERHEAD_MS / 2, answered);
          next();
        }),
      );
      if (!isBusy) next();
    });
  };
}

/**
 * Rows that come by chance (Poisson), one by one, whether the model keeps up or not; the latency of each. Runs vary by a fifth, and
 * one in a hundred takes three times as long.
 */
export function openLoop({ rule, points, batchMax, waitMax, share, rows, seed }: Load): Latencies {
  const random = generator(seed);
  const time = world();
  const curve = latencyCurve({ points, rowsMax: batchMax });
  const best = points.reduce((a, b) => (b.rows / b.ms > a.rows / a.ms ? b : a));
  const upToBest = points.filter((point) => point.rows <= best.rows);
  const noise = () => (0.8 + 0.4 * random()) * (random() < 0.01 ? 3 : 1);
  const p99OfBatch = 1.2 * best.ms + OVERHEAD_MS;
  const deadlineMs = waitMax + 2 * p99OfBatch;

  const waiting: number[] = [];
  const latencies = new Float64Array(rows);
  let answered = 0;
  let batches = 0;
  const leave = (count: number) => waiting.splice(0, count);
  const answer = (came: readonly number[]) => {
    batches++;
    for (const atMs of came) latencies[answered++] = time.nowMs() - atMs;
  };

  /** Takes rows in; `ms` is what a run takes without noise. */
  const rules: Record<Rule, () => () => void> = {
    millrace() {
      const run = worker(time);
      // Of a batch, parts of the best size are run one after another.
      const msOf = (count: number) =>
        Math.floor(count / best.rows) * best.ms + (count % best.rows === 0 ? 0 : curve.ms(count % best.rows));
      const scheduler = createScheduler({ workers: 1, nowMs: time.nowMs });
      const queue = scheduler.queue({
        ...{ batchMax, waitMax, outputSize: 1, version: '', pool: bufferPool(4) },
        layoutOf: (_, count) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, count),
        curves: [latencyCurve({ points: upToBest, rowsMax: batchMax, overheadMs: OVERHEAD_MS })],
        dispatch(batch) {
          const came = leave(batch.rows);
          const ms = msOf(came.length) * noise();
          run(ms, () => {
            answer(came);
            const scores = new Float32Array(came.length);
            queue.complete(batch, { scores, failures: [], degraded: null }, ms);
          });
        },
      });
      return () => void queue.run(1, () => {});
    },
    greedy: () => oneAtATime(0),
    'constant wait': () => oneAtATime(waitMax),
  };

  /** A worker that takes all that is there, up to the largest batch; not before that is full, or a row has waited so long. */
  function oneAtATime(waitMs: number): () => void {
    let isBusy = false;
    const take = () => {
      const [oldest] = waiting;
      if (isBusy || oldest === undefined) return;
      if (waiting.length < batchMax && time.nowMs() < oldest + waitMs) return;
      isBusy = true;
      const came = leave(batchMax);
      time.at(time.nowMs() + curve.ms(came.length) * noise() + OVERHEAD_MS, () => {
        answer(came);
        isBusy = false;
        take();
      });
    };
    return () => {
      if (waitMs > 0) time.at(time.nowMs() + waitMs, take);
      take();
    };
  }

  const onRow = rules[rule]();
  const gapMs = best.ms / best.rows / share;
  let atMs = 0;
  for (let row = 0; row < rows; row++) {
    atMs += -Math.log(1 - random()) * gapMs;
    time.until(atMs);
    waiting.push(atMs);
    onRow();
  }
  time.until(Number.MAX_VALUE);
  const sorted = latencies.toSorted();
  const quantile = (q: number) => sorted[Math.min(rows - 1, Math.floor(q * rows))] as number;
  const inTime = latencies.filter((ms) => ms <= deadlineMs).length / rows;
  return {
    p50: quantile(0.5),
    p99: quantile(0.99),
    p999: quantile(0.999),
    rowsABatch: rows / batches,
    inTime,
    deadlineMs,
  };
}
