import type { Worker } from 'node:worker_threads';
import { MillraceError, messageOf } from '../core/index.js';
import { startThread as startWorker } from '../util/thread.js';
import { type AnswerTo, type Ask, control, type Reply, type Request, type RequestKind } from './protocol.js';

/** A worker thread that is started when it is needed and again after it died. */
export interface WorkerLink {
  /** Counts the starts: sessions of an earlier life are gone. */
  readonly life: number;
  /** Starts the worker if it is not running. */
  start(): void;
  /** Answers come in the order of the requests. Rejects with `MillraceError` for what the worker refuses, and when it dies. */
  request<K extends RequestKind>(kind: K, ask: Ask<K>, transfer?: readonly ArrayBuffer[]): Promise<AnswerTo<K>>;
  /** Lets the requests under way end, releases the sessions and waits until the thread is gone. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: MillraceError) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  readonly exited: Promise<void>;
}

/** How long an exiting process waits for the worker to leave the native runtime, in milliseconds. */
const exitPatienceMs = 10_000;

/**
 * Opens the link; no thread starts yet. An idle worker does not keep the process alive, and a process that exits while
 * the worker is busy waits for the running batch instead of aborting.
 */
export function workerLink(): WorkerLink {
  let thread: Thread | undefined;
  let life = 0;
  let nextId = 0;
  let closed = false;

  function running(): Thread {
    if (closed) {
      throw new MillraceError('model', 'the inference service is closed', { hint: 'close it after the last task' });
    }
    if (thread !== undefined) return thread;
    life++;
    const started: Thread = startThread(() => {
      if (thread === started) thread = undefined;
    });
    thread = started;
    return started;
  }

  async function request<K extends RequestKind>(
    kind: K,
    ask: Ask<K>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerTo<K>> {
    const { worker, pending } = running();
    const id = nextId++;
    worker.postMessage({ id, kind, ...ask } as Request, transfer);
    // While something is asked, the process must not end of itself.
    if (pending.size === 0) worker.ref();
    return await new Promise<AnswerTo<K>>((resolve, reject) => pending.set(id, { resolve, reject }));
  }

  return {
    get life() {
      return life;
    },
    start: () => void running(),
    request,
    async close() {
      const { worker, exited } = thread ?? {};
      const answered = worker && request('close', {});
      closed = true;
      await answered;
      // An exiting thread is still worth waiting for.
      worker?.ref();
      await exited;
    },
  };
}

function startThread(onEnd: () => void): Thread {
  const words = new Int32Array(new SharedArrayBuffer(control.words * Int32Array.BYTES_PER_ELEMENT));
  const worker = startWorker(import.meta.url, 'worker', {
    workerData: words,
    execArgv: [],
    name: 'millrace-inference',
  });
  const pending = new Map<number, Pending>();
  const beforeExit = () => leaveInPeace(words);
  process.on('exit', beforeExit);

  let cause: unknown;
  const exited = new Promise<void>((resolve) => {
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (code) => {
      process.off('exit', beforeExit);
      onEnd();
      const why = cause === undefined ? `exit code ${code}` : messageOf(cause);
      const error = new MillraceError('model', `the inference worker died (${why})`, {
        hint: 'rows under way got no score; the next call starts it again',
        cause,
      });
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
      resolve();
    });
  });

  worker.on('message', (reply: Reply) => {
    const asked = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) worker.unref();
    if (reply.ok) asked?.resolve(reply.answer as never);
    else asked?.reject(new MillraceError('model', reply.message, reply.hint === undefined ? {} : { hint: reply.hint }));
  });
  worker.unref();
  return { worker, pending, exited };
}

/** Runs while the process exits: from here on the worker starts nothing, and what it runs may end. */
function leaveInPeace(words: Int32Array): void {
  Atomics.store(words, control.stop, 1);
  Atomics.wait(words, control.busy, 1, exitPatienceMs);
}
