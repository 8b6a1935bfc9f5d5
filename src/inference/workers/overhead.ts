import { layoutOf } from '../scheduling/layout.js';
import { warmUpInput } from '../session/warm-up.js';
import type { LoadedModel } from './protocol.js';
import type { WorkerSlot } from './worker-slot.js';

/** Batches that are under way at once: the worker always has the next one. */
const BURST = 8;
const BURSTS = 9;
/** No machine does it in less; where a busy one measures less, it measured the run too long. */
const LEAST_MS = 0.02;
/** Of a batch that is measured, nobody knows yet how long it takes. */
const HUNG_AFTER_MS = 15 * 60_000;

/**
 * What a batch costs beside its run, on its way to the worker and back, in milliseconds: the median of some bursts of batches of one
 * row. The worker answers meanwhile for other models too.
 *
 * Rejects with `WorkerLost` if the worker dies.
 */
export async function overheadOf(slot: WorkerSlot, { session, inputs, lengths }: LoadedModel): Promise<number> {
  const layout = layoutOf(inputs, lengths[0] as number, 1);
  const besides: number[] = [];
  for (let burst = 0; burst < BURSTS; burst++) {
    const batches = Array.from({ length: BURST }, () => warmUpInput(layout));
    const runs = batches.map((asked) =>
      slot.run(
        { session, bucket: 0, rows: 1, rowsMax: 1, ...asked },
        { hungAfterMs: HUNG_AFTER_MS, transfer: [asked.input] },
      ),
    );
    // The first finds the worker idle.
    const [, ...timed] = await Promise.all(runs);
    besides.push(timed.reduce((sum, { ms, answer }) => sum + ms - answer.ms, 0) / timed.length);
  }
  return Math.max(LEAST_MS, besides.sort((a, b) => a - b)[Math.floor(BURSTS / 2)] as number);
}
