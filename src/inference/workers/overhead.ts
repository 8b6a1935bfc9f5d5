import type { Point } from '../scheduling/latency-curve.js';
import { layoutOf } from '../scheduling/layout.js';
import { warmUpInput } from '../session/warm-up.js';
import type { LoadedModel } from './protocol.js';
import type { WorkerSlot } from './worker-slot.js';

/** Batches that are under way at once, as in operation: the worker always has the next one. */
const UNDER_WAY = 2;
/** The run of a batch that is measured: the caller falls asleep meanwhile, as in operation, and to wake it is most of the cost. */
const LONG_ENOUGH_MS = 0.5;
const BATCHES = 48;
/** Models whose single row takes long are measured less often. */
const MOST_MS = 200;
/** No machine does it in less; where a busy one measures less, it measured the run too long. */
const LEAST_MS = 0.02;
/** Of a batch that is measured, nobody knows yet how long it takes. */
const HUNG_AFTER_MS = 15 * 60_000;

/**
 * What a batch costs beside its run, on its way to the worker and back, in milliseconds: the median of some batches. The worker
 * answers meanwhile for other models too.
 *
 * Rejects with `WorkerLost` if the worker dies.
 */
export async function overheadOf(
  slot: WorkerSlot,
  { session, inputs, lengths, curves: [curve = []] }: LoadedModel,
): Promise<number> {
  const rows = rowsThatTake(LONG_ENOUGH_MS, curve);
  const layout = layoutOf(inputs, lengths[0] as number, rows);
  const besides: number[] = [];
  const endMs = performance.now() + MOST_MS;

  async function runInTurn(): Promise<void> {
    let { input, texts } = warmUpInput(layout);
    do {
      const ask = { session, bucket: 0, rows, rowsMax: rows, input, texts };
      const { ms, answer } = await slot.run(ask, { hungAfterMs: HUNG_AFTER_MS, transfer: [input] });
      besides.push(ms - answer.ms);
      // A process got a copy.
      if (answer.input.byteLength > 0) input = answer.input;
    } while (besides.length < BATCHES && performance.now() < endMs);
  }

  await Promise.all(Array.from({ length: UNDER_WAY }, runInTurn));
  // The first found the worker idle.
  const [, ...busy] = besides;
  return Math.max(LEAST_MS, busy.sort((a, b) => a - b)[busy.length >> 1] as number);
}

/** The smallest measured size whose run takes so long, or else the largest. */
const rowsThatTake = (ms: number, curve: readonly Point[]): number =>
  (curve.find((point) => point.ms >= ms) ?? curve.at(-1))?.rows ?? 1;
