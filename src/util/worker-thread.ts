import { type MessagePort, parentPort, Worker, type WorkerOptions, workerData } from 'node:worker_threads';
import { assert, type ErrorCode, type ErrorDetails, MillraceError, messageOf } from '../core/errors.js';

/** The calls of a worker thread: the argument and the result of each. */
export type Calls<C> = { readonly [K in keyof C]: { readonly ask: unknown; readonly answer: unknown } };
export type Ask<C extends Calls<C>, K extends keyof C> = C[K]['ask'];
export type Answer<C extends Calls<C>, K extends keyof C> = C[K]['answer'];

/** A call on its way to a thread or process. */
export interface Request {
  readonly id: number;
  readonly kind: PropertyKey;
  readonly ask: unknown;
}

/** Its answer, or the error in its place. */
export type Reply = { readonly id: number } & (
  | { readonly answer: unknown }
  | { readonly code: ErrorCode; readonly message: string; readonly details: Omit<ErrorDetails, 'cause'> }
);

/** The start data of a thread. */
export interface Start {
  /** Counts the thread's progress. */
  readonly progress: Int32Array;
  readonly data: unknown;
}

export interface WorkerThreadOptions {
  /** The `import.meta.url` of the module that starts the thread. */
  readonly from: string;
  /** The module that runs in the thread, in the folder of `from`; it calls `serveCalls`. */
  readonly module: string;
  /** The name in process tools. */
  readonly name: string;
  /** Data for the thread, such as shared memory. */
  readonly data?: unknown;
  /** The heap limit of the thread. */
  readonly heapMebibytesMax?: number;
  /** Creates the error of calls without an answer: `why` is 'died (...)', 'made no progress for 30 s' or 'was ended'. */
  readonly failure: (why: string, cause: unknown) => MillraceError;
  /** Called when the thread takes no further calls. */
  readonly onEnd?: () => void;
}

export interface CallOptions {
  /** Buffers that are transferred instead of copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** How long the thread may report no progress before it is treated as hung and ended. */
  readonly stallMax?: number;
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: MillraceError) => void;
}

/** The number of progress checks before a thread is treated as hung; a suspension of the process counts as one. */
const LOOKS = 30;

/**
 * A worker thread that answers calls in order. It keeps the process alive only while a call is pending.
 *
 * Errors: an error in the thread is thrown here with its code, place and hint. A thread that dies, hangs or is ended fails all
 * pending and later calls; start another one. Memory: the pending calls, and that of the thread.
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

  /** Ends the thread unless a call comes within `idleMs`. */
  rest(idleMs: number): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.end(), idleMs).unref();
  }

  /** Ends the thread, whatever it is doing. */
  end(): void {
    this.die('was ended');
    void this.worker.terminate();
  }

  /** Resolves when the thread is gone; it keeps the process alive until then. */
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
    else asked?.reject(errorOf(reply));
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

/** The error of a reply as it is thrown on this side. */
export const errorOf = (reply: Exclude<Reply, { readonly answer: unknown }>): MillraceError =>
  new MillraceError(reply.code, reply.message, reply.details);

/** Whether a thread died because its heap was full. */
export const isOutOfMemory = (cause: unknown): boolean =>
  (cause as { readonly code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';

/** The handlers of calls, in the thread. Buffers in `transfer` are transferred with the answer. */
export type Handlers<C extends Calls<C>> = {
  readonly [K in keyof C]: (
    ask: Ask<C, K>,
    transfer: (buffer: ArrayBufferLike) => void,
  ) => Answer<C, K> | Promise<Answer<C, K>>;
};

export interface ServedThread {
  /** The start data of the thread. */
  readonly data: unknown;
  /** Reports progress to the caller. */
  onProgress(): void;
}

export interface ServeOptions<C> {
  /** The code of errors that are not `MillraceError`s. */
  readonly code: ErrorCode;
  /** The call after which the thread ends. */
  readonly last?: keyof C;
}

/** Answers calls one after another, in the module of a `WorkerThread` or of a forked process. `open` creates the handlers. */
export function serveCalls<C extends Calls<C>>(
  open: (thread: ServedThread) => Handlers<C>,
  { code, last }: ServeOptions<C>,
): void {
  const port = parentPort ? threadPort(parentPort) : processPort();
  const { progress, data } = (workerData ?? { progress: new Int32Array(1) }) as Start;
  const handlers = open({ data, onProgress: () => void Atomics.add(progress, 0, 1) });

  async function answer({ id, kind, ask }: Request): Promise<void> {
    const moved = new Set<ArrayBuffer>();
    try {
      const answered = await handlers[kind as keyof C](ask as never, (buffer) => moved.add(buffer as ArrayBuffer));
      port.reply({ id, answer: answered }, [...moved]);
    } catch (error) {
      port.reply({ id, ...fieldsOf(error, code) }, []);
    }
    // The thread ends by itself now, and no abort can disturb it.
    if (kind === last) port.close();
  }

  let before = Promise.resolve();
  port.onRequest((request) => {
    before = before.then(() => answer(request));
  });
}

/** The side of the caller, as a thread or a process sees it. */
interface Port {
  onRequest(take: (request: Request) => void): void;
  reply(reply: Reply, transfer: ArrayBuffer[]): void;
  /** No further requests: the thread or process ends by itself. */
  close(): void;
}

const threadPort = (port: MessagePort): Port => ({
  onRequest: (take) => port.on('message', take),
  reply: (reply, transfer) => port.postMessage(reply, transfer),
  close: () => port.close(),
});

function processPort(): Port {
  assert(process.send !== undefined, 'the module of a worker was started outside of one');
  // Signals to the process group are for the caller, who closes this process after the last call.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  return {
    onRequest: (take) => process.on('message', take),
    reply: (reply) => process.send?.(reply),
    close: () => process.disconnect(),
  };
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
export function startWorker(from: string, name: string, options: WorkerOptions): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from), options);
  const entry = JSON.stringify(new URL(`./${name}.ts`, from).href);
  // `--import tsx` has no effect on the entry of a thread; tsx's hooks need `data` to be present.
  const start = `require('node:module').register('tsx/esm', ${entry}, { data: {} }); import(${entry});`;
  return new Worker(start, { ...options, eval: true });
}
