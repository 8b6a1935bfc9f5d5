import { type FillRow, MillraceError, type ModelHandle, type Urgency } from '../../src/core/index.js';
import { WorkerThread } from '../../src/util/worker-thread.js';
import type { SessionCalls } from './worker.js';

/** What scores rows that come one by one. */
export interface Server {
  /** So many rows have come, at these times; `onAnswer` is called once for each group that is answered. */
  ask(rows: number, onAnswer: (rows: number) => void): void;
  /** Rows in batches so far. */
  batches(): { readonly rows: number; readonly batches: number };
}

/** The product. */
export function serviceServer(handle: ModelHandle, rows: readonly Float32Array[], urgency?: Urgency): Server {
  const { rows: rowsBefore, batches: batchesBefore } = handle.stats();
  const fill = fillFrom(rows);
  return {
    ask(count, onAnswer) {
      void handle.run(count, fill, undefined, urgency).then(() => onAnswer(count));
    },
    batches() {
      const { rows: scored, batches } = handle.stats();
      return { rows: scored - rowsBefore, batches: batches - batchesBefore };
    },
  };
}

/** Fills batches with these rows in turn, whoever asks. */
export function fillFrom(rows: readonly Float32Array[]): FillRow {
  let next = 0;
  return (_row, [into], place) => {
    const values = rows[next++ % rows.length] as Float32Array;
    (into as Float32Array).set(values, place * values.length);
  };
}

/** The thread that runs the batches of the other rules. */
export async function openSession(bytes: Uint8Array): Promise<WorkerThread<SessionCalls>> {
  const thread = new WorkerThread<SessionCalls>({
    from: import.meta.url,
    module: 'worker',
    name: 'bench-session',
    failure: (why, cause) => new MillraceError('internal', `the thread of the session ${why}`, { cause }),
  });
  await thread.call('load', { bytes });
  return thread;
}

/**
 * A worker that takes all that is there, up to `batchMax` rows; not before that many are there, or the oldest has waited `waitMs`.
 * With no wait it is Triton's rule for an idle instance. One batch is prepared while another runs, as Triton does.
 */
export function ruleServer(
  thread: WorkerThread<SessionCalls>,
  rows: readonly Float32Array[],
  { batchMax, waitMs }: { readonly batchMax: number; readonly waitMs: number },
): Server {
  const width = (rows[0] as Float32Array).length;
  const waiting: { rows: number; readonly sinceMs: number; readonly onAnswer: (rows: number) => void }[] = [];
  const buffers: Float32Array[] = [];
  const counts = { rows: 0, batches: 0 };
  let waitingRows = 0;
  let inFlight = 0;
  let next = 0;

  async function take(): Promise<void> {
    const [oldest] = waiting;
    // One runs and one is staged; the staged one leaves only if it cannot grow.
    if (oldest === undefined || inFlight === 2 || (inFlight === 1 && waitingRows < batchMax)) return;
    const leftMs = oldest.sinceMs + waitMs - performance.now();
    if (waitingRows < batchMax && leftMs > 0) return;
    const input = buffers.pop() ?? new Float32Array(batchMax * width);
    const answered: [rows: number, (rows: number) => void][] = [];
    let count = 0;
    while (waiting.length > 0 && count < batchMax) {
      const head = waiting[0] as (typeof waiting)[number];
      const taken = Math.min(head.rows, batchMax - count);
      for (let row = 0; row < taken; row++)
        input.set(rows[next++ % rows.length] as Float32Array, (count + row) * width);
      count += taken;
      head.rows -= taken;
      answered.push([taken, head.onAnswer]);
      if (head.rows === 0) waiting.shift();
    }
    waitingRows -= count;
    inFlight++;
    counts.rows += count;
    counts.batches++;
    const done = thread.call('run', { input, rows: count, width }, { transfer: [input.buffer as ArrayBuffer] });
    void take();
    buffers.push((await done).input);
    inFlight--;
    void take();
    for (const [taken, onAnswer] of answered) onAnswer(taken);
  }

  return {
    ask(count, onAnswer) {
      waiting.push({ rows: count, sinceMs: performance.now(), onAnswer });
      waitingRows += count;
      if (waitMs > 0) setTimeout(take, waitMs);
      void take();
    },
    batches: () => counts,
  };
}
