import type { ModelSpec } from '../core/index.js';
import { type LatencyCurve, latencyCurve, measuredSizes, type Point } from './latency-curve.js';
import { layoutOf } from './layout.js';
import type { LoadedModel } from './protocol.js';
import { warmUpViews } from './warm-up.js';
import type { WorkerSlot } from './worker-slot.js';

export interface Measured {
  /** By length bucket. */
  readonly curves: readonly LatencyCurve[];
  /** What a batch takes beside its run, on the way to the worker and back, in milliseconds. */
  readonly overheadMs: number;
}

/** Batches of each size. The first finds the worker idle, and the fastest of the others counts: what disturbs it is not the model's. */
const RUNS = 6;
/** A size that takes longer is not run more than twice. */
const LONG_MS = 100;
const SHORTEST_MS = 1e-3;

/**
 * Measures what batches of a model take, along the way that all batches go. The worker answers meanwhile for other models too.
 *
 * Rejects with `WorkerLost` if the worker dies.
 */
export async function measure(
  slot: WorkerSlot,
  { session, inputs, lengths }: LoadedModel,
  { batchMax }: ModelSpec,
): Promise<Measured> {
  let overheadMs = Number.POSITIVE_INFINITY;
  let isLong = false;

  async function pointOf(bucket: number, length: number, rows: number): Promise<Point> {
    const layout = layoutOf(inputs, length, rows);
    const batch = () => (warmUpViews(layout)[0] as { readonly buffer: ArrayBuffer }).buffer;
    const batches = Array.from({ length: isLong ? 2 : RUNS }, batch);
    const runs = batches.map((input) =>
      slot.run({ session, bucket, rows, rowsMax: rows, input }, { hungAfterMs: loadMaxMs, transfer: [input] }),
    );
    const [, ...timed] = await Promise.all(runs);
    const ms = Math.min(...timed.map(({ answer }) => answer.ms));
    overheadMs = Math.min(overheadMs, ...timed.map((run) => Math.max(0, run.ms - run.answer.ms)));
    isLong = ms > LONG_MS;
    return { rows, ms: Math.max(ms, SHORTEST_MS) };
  }

  const measured: Point[][] = [];
  for (const [bucket, length] of lengths.entries()) {
    const points: Point[] = [];
    for (const rows of measuredSizes(batchMax)) points.push(await pointOf(bucket, length, rows));
    measured.push(points);
  }
  const withOverhead = ({ rows, ms }: Point) => ({ rows, ms: ms + overheadMs });
  return { curves: measured.map((points) => latencyCurve(points.map(withOverhead))), overheadMs };
}

/** Of a batch that is measured, nobody knows yet how long it takes. */
const loadMaxMs = 15 * 60_000;
