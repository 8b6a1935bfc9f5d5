import { dueMs } from './calls.js';
import type { Lanes } from './lanes.js';
import type { LatencyCurve } from './latency-curve.js';

export interface BatchSizeOptions {
  readonly batchMax: number;
  /** By length bucket; without them a batch is as large as it may be. */
  readonly curves: readonly LatencyCurve[] | undefined;
  readonly lanes: Pick<Lanes, 'rows' | 'first'>;
}

/** A row waits for a running batch, a staged one and its own. */
const BATCHES_BEFORE = 3;
/** Smaller batches answer nearly as many rows if they answer this share of them. */
const NEARLY = 0.9;
/** Staged batches save what a batch costs beside its run. Where it is less than this share of it, rows with deadlines are not staged. */
const STAGED_FROM = 0.01;
/**
 * A batch leaves before the worker is free, by half of what it costs beside its run (the way there), and at least by this share of the run:
 * weights that push code out of the caches make what is beside a run slower, and so does a busy process. Rows that come later are not in
 * it; one that left sooner would be smaller, and so many that both threads were always busy.
 */
const LEAD = 0.5;
const LEAD_SHARE = 0.05;

/** How many rows the batches of a model have, by length bucket: what its latency curves and the deadlines of its rows say. */
export function batchSizes({ batchMax, curves, lanes }: BatchSizeOptions) {
  const growsTo = (bucket: number) => Math.min(batchMax, curves?.[bucket]?.bestRows() ?? batchMax);
  const msOf = (bucket: number, rows: number) => curves?.[bucket]?.ms(rows) ?? rows;
  const p99Of = (bucket: number, rows: number) => curves?.[bucket]?.p99Ms(rows) ?? rows;

  /**
   * The rows of a full batch: as many as are answered the fastest. Those with a deadline may wait for a running batch and a staged one
   * before their own, so a smaller one is full where these take too long, if it answers nearly as many rows a second.
   */
  function fullRows(bucket: number): number {
    const best = growsTo(bucket);
    const first = lanes.first(bucket);
    if (first?.withinMs === undefined) return best;
    const { withinMs } = first;
    const leastRate = (NEARLY * best) / msOf(bucket, best);
    let full = best;
    while (full > 1 && BATCHES_BEFORE * p99Of(bucket, full) > withinMs) {
      const half = Math.floor(full / 2);
      if (half / msOf(bucket, half) < leastRate) break;
      full = half;
    }
    return full;
  }

  /** The rows of the next batch: a full one; fewer if no more wait than that, and the first is in time only in a smaller batch. */
  function sizeOf(bucket: number, startsAtMs: number): number {
    const full = fullRows(bucket);
    const first = lanes.first(bucket);
    const waiting = lanes.rows(bucket);
    if (first === undefined || waiting > full) return full;
    const leftMs = dueMs(first) - startsAtMs;
    return largest(waiting, (rows) => p99Of(bucket, rows) <= leftMs) ?? full;
  }

  /** Whether it pays to stage a batch: urgent rows that come later cannot be in it any more. */
  function stages(bucket: number): boolean {
    const rows = fullRows(bucket);
    const isUrgent = lanes.first(bucket)?.withinMs !== undefined;
    return !isUrgent || (curves?.[bucket]?.overheadMs ?? 0) >= STAGED_FROM * msOf(bucket, rows);
  }

  /** Whether a batch that starts in `startsInMs` must leave now to be there in time. */
  function isDue(bucket: number, startsInMs: number): boolean {
    const overheadMs = curves?.[bucket]?.overheadMs ?? 0;
    if (overheadMs === 0) return false;
    return startsInMs <= Math.max(LEAD * overheadMs, LEAD_SHARE * msOf(bucket, lanes.rows(bucket)));
  }

  return { growsTo, msOf, p99Of, fullRows, sizeOf, stages, isDue };
}

/** The largest of `most` rows, half of them, and so on, that fits. */
function largest(most: number, fits: (rows: number) => boolean): number | undefined {
  for (let rows = most; rows >= 1; rows = Math.floor(rows / 2)) if (fits(rows)) return rows;
  return undefined;
}
