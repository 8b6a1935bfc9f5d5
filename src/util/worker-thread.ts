import { parentPort, Worker, type WorkerOptions, workerData } from 'node:worker_threads';
import { assert, type ErrorCode, type ErrorDetails, MillraceError, messageOf } from '../core/errors.js';

/** What may be asked of a worker thread: for each kind of call what goes there and what comes back. */
export type Calls<C> = { readonly [K in keyof C]: { readonly ask: unknown; readonly answer: unknown } };
export type Ask<C extends Calls<C>, K extends keyof C> = C[K]['ask'];
export type Answer<C extends Calls<C>, K extends keyof C> = C[K]['answer'];

interface Request {
  readonly id: number;
  readonly kind: PropertyKey;
  readonly ask: unknown;
}

type Reply = { readonly id: number } & (
  | { readonly answer: unknown }
  | { readonly code: ErrorCode; readonly message: string; readonly details: Omit<ErrorDetails, 'cause'> }
);

/** What a thread is started with. */
interface Start {
  /** Counts what the thread gets done. */
  readonly progress: Int32Array;
  readonly data: unknown;
}

export interface WorkerThreadOptions {
  /** The `import.meta.url` of who starts the thread. */
  readonly from: string;
  /** The module that runs in the thread, beside `from`: it calls `serveCalls`. */
  readonly module: string;
  /** As process tools show it. */
  readonly name: string;
  /** Given to the thread; shared memory for example. */
  readonly data?: unknown;
  /** A thread with more JavaScript values than this in its memory ends. */
  readonly heapMebibytesMax?: number;
  /** Makes the error of calls that get no answer: `why` is 'died (...)', 'made no progress for 30 s' or 'was ended'. */
  readonly failure: (why: string, cause: unknown) => MillraceError;
  /** The thread takes no further calls. */
  readonly onEnd?: () => void;
}

export interface CallOptions {
  /** What changes hands instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** How long the thread may report no progress before it is taken for hung and ended. */
  readonly stallMax?: number;
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: MillraceError) => void;
}

/** How many times progress is looked at before a thread is taken for hung: a process that was stopped for a while counts as one. */
const LOOKS = 30;

/**
 * A worker thread that answers calls, in their order. It keeps the process alive while a call is pending, and at no other time.
 *
 * Errors: what the thread throws is thrown here, with code, place and hint. A thread that dies, hangs or is ended fails all pending
 * calls and those that follow; another one has to be started. Memory: the pending calls, and what the thread has.
 *
 * @example
 * interface Calculations { square: { readonly ask: number; readonly answer: number } }
 * const thread = new WorkerThread<Calculations>({ from: import.meta.url, module: 'squares', name: 'squares', failure });
 * await thread.call('square', 3); // 9
 */
export class WorkerThread<C extends Calls<C>> {
  private readonly progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly exited: Promise<void>;
  private death: MillraceError | undefined;
  private resting: NodeJS.Timeout | undefined;
  private lastId = 0;

  constructor(private readonly options: WorkerThreadOptions) {
    const { from, module, name, data, heapMebibytesMax } = options;
    this.worker = startWorker(from, module, {
      name,
      execArgv: [],
      workerData: { progress: this.progress, data } satisfies Start,
      ...(heapMebibytesMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMebibytesMax } }),
    });
    this.worker.unref();
    this.worker.on('message', (reply: Reply) => this.settle(reply));
    this.worker.on('error', (cause) => this.die(`died (${messageOf(cause)})`, cause));
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.die(`died (exit code ${code})`);
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.death !== undefined;
  }

  async call<K extends keyof C>(kind: K, ask: Ask<C, K>, options: CallOptions = {}): Promise<Answer<C, K>> {
    const { transfer = [], stallMax } = options;
    if (this.death) throw this.death;
    clearTimeout(this.resting);
    const id = this.lastId++;
    this.worker.postMessage({ id, kind, ask } satisfies Request, transfer);
    this.worker.ref();
    const answer = new Promise<Answer<C, K>>((resolve, reject) => this.pending.set(id, { resolve, reject }));
    return stallMax === undefined ? answer : this.watched(answer, stallMax);
  }

  /** Nothing is asked for now: the thread is ended unless a call comes within `idleMs`. */
  rest(idleMs: number): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.end(), idleMs).unref();
  }

  /** Stops the thread, whatever it is doing. */
  end(): void {
    this.die('was ended');
    void this.worker.terminate();
  }

  /** Resolves when the thread is gone, which keeps the process alive until then. */
  gone(): Promise<void> {
    this.worker.ref();
    return this.exited;
  }

  private async watched<T>(answer: Promise<T>, stallMax: number): Promise<T> {
    let seen = Atomics.load(this.progress, 0);
    let looks = 0;
    const watch = setInterval(() => {
      const progress = Atomics.load(this.progress, 0);
      looks = progress === seen ? looks + 1 : 0;
      seen = progress;
      if (looks < LOOKS) return;
      this.die(`made no progress for ${Math.round(stallMax / 100) / 10} s`);
      this.end();
    }, stallMax / LOOKS);
    try {
      return await answer;
    } finally {
      clearInterval(watch);
    }
  }

  private settle(reply: Reply): void {
    const asked = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.worker.unref();
    if ('answer' in reply) asked?.resolve(reply.answer as never);
    else asked?.reject(new MillraceError(reply.code, reply.message, reply.details));
  }

  private die(why: string, cause?: unknown): void {
    if (this.death) return;
    clearTimeout(this.resting);
    this.death = this.options.failure(why, cause);
    this.options.onEnd?.();
    for (const { reject } of this.pending.values()) reject(this.death);
    this.pending.clear();
    this.worker.unref();
  }
}

/** Whether a thread died of its heap. */
export const isOutOfMemory = (cause: unknown): boolean =>
  (cause as { readonly code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';

/** What answers the calls, in the thread. Buffers given to `transfer` change hands with the answer. */
export type Handlers<C extends Calls<C>> = {
  readonly [K in keyof C]: (
    ask: Ask<C, K>,
    transfer: (buffer: ArrayBufferLike) => void,
  ) => Answer<C, K> | Promise<Answer<C, K>>;
};

export interface ServedThread {
  /** What the thread was given. */
  readonly data: unknown;
  /** Tells whoever waits that the thread gets on. */
  onProgress(): void;
}

export interface ServeOptions<C> {
  /** The code of errors that are no `MillraceError`. */
  readonly code: ErrorCode;
  /** The call after which the thread ends by itself. */
  readonly last?: keyof C;
}

/** Answers calls, one after another: what the module of a `WorkerThread` does. `open` makes the handlers. */
export function serveCalls<C extends Calls<C>>(
  open: (thread: ServedThread) => Handlers<C>,
  { code, last }: ServeOptions<C>,
): void {
  assert(parentPort !== null, 'the module of a worker thread was started outside of one');
  const port = parentPort;
  const { progress, data } = workerData as Start;
  const handlers = open({ data, onProgress: () => void Atomics.add(progress, 0, 1) });

  async function answer({ id, kind, ask }: Request): Promise<void> {
    const moved = new Set<ArrayBuffer>();
    try {
      const answered = await handlers[kind as keyof C](ask as never, (buffer) => moved.add(buffer as ArrayBuffer));
      port.postMessage({ id, answer: answered } satisfies Reply, [...moved]);
    } catch (error) {
      port.postMessage({ id, ...fieldsOf(error, code) } satisfies Reply);
    }
    // Nothing is left to wait for: the thread ends by itself, which no abort can spoil.
    if (kind === last) port.close();
  }

  let before = Promise.resolve();
  port.on('message', (request: Request) => {
    before = before.then(() => answer(request));
  });
}

function fieldsOf(error: unknown, otherwise: ErrorCode) {
  const known = error instanceof MillraceError ? error : new MillraceError(otherwise, messageOf(error));
  const { code, message, where, hint, permanent } = known;
  const details = { ...(where === undefined ? {} : { where }), ...(hint === undefined ? {} : { hint }), permanent };
  return { code, message, details };
}

/**
 * Starts a worker thread of the module `name` beside `from`. Compiled code starts its compiled sibling; sources (tests, tsx)
 * register tsx in the thread and start the source.
 */
function startWorker(from: string, name: string, options: WorkerOptions): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from), options);
  const entry = JSON.stringify(new URL(`./${name}.ts`, from).href);
  // `--import tsx` has no effect on the entry of a thread; tsx's hooks want `data` to be there.
  const start = `require('node:module').register('tsx/esm', ${entry}, { data: {} }); import(${entry});`;
  return new Worker(start, { ...options, eval: true });
}
