import { MillraceError } from '../core/index.js';
import { type Answer, WorkerThread } from '../util/worker-thread.js';
import { type Ask, control, type Requests } from './protocol.js';

/** A worker thread that is started on demand, and again after it died. */
export interface WorkerLink {
  /** The number of starts: sessions of an earlier thread are gone. */
  readonly life: number;
  /** Starts the worker if it is not running. */
  start(): void;
  /** Answers come in the order of the requests. Rejects with a `MillraceError` if the worker refuses or dies. */
  request<K extends keyof Requests>(
    kind: K,
    ask: Ask<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Answer<Requests, K>>;
  /** Waits for the requests in flight, releases the sessions and ends the thread. */
  close(): Promise<void>;
}

/** How long an exiting process waits for the worker to leave the native runtime, in milliseconds. */
const exitTimeoutMs = 10_000;

/**
 * Creates the link without starting a thread. An idle worker does not keep the process alive, and a process that exits while the
 * worker is busy waits for the running batch instead of aborting.
 */
export function workerLink(): WorkerLink {
  let thread: WorkerThread<Requests> | undefined;
  let life = 0;
  let closed = false;

  function running(): WorkerThread<Requests> {
    if (closed) {
      throw new MillraceError('model', 'the inference service is closed', { hint: 'close it after the last task' });
    }
    if (thread !== undefined) return thread;
    life++;
    const words = new Int32Array(new SharedArrayBuffer(control.words * Int32Array.BYTES_PER_ELEMENT));
    const beforeExit = () => leaveInPeace(words);
    process.on('exit', beforeExit);
    const started = new WorkerThread<Requests>({
      from: import.meta.url,
      module: 'worker',
      name: 'millrace-inference',
      data: words,
      failure: (why, cause) =>
        new MillraceError('model', `the inference worker ${why}`, {
          hint: 'rows under way got no score; the next call starts it again',
          cause,
        }),
      onEnd: () => {
        process.off('exit', beforeExit);
        if (thread === started) thread = undefined;
      },
    });
    thread = started;
    return started;
  }

  return {
    get life() {
      return life;
    },
    start: () => void running(),
    request: async (kind, ask, transfer = []) => running().call(kind, ask, { transfer }),
    async close() {
      const last = thread;
      closed = true;
      await last?.call('close', {});
      await last?.gone();
    },
  };
}

/** Runs while the process exits: the worker starts nothing more, and its current run may end. */
function leaveInPeace(words: Int32Array): void {
  Atomics.store(words, control.stop, 1);
  Atomics.wait(words, control.busy, 1, exitTimeoutMs);
}
