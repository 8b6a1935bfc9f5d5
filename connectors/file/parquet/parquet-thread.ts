import type { Worker } from 'node:worker_threads';
import { MillraceError, messageOf } from '../../../src/core/errors.js';
import { startThread } from '../../../src/util/thread.js';
import type { RandomAccess } from '../random-access.js';
import { type FromThread, type Group, shared, type ToThread } from './parquet-protocol.js';

/** A thread with more JavaScript values than this in its memory ends. */
const HEAP_MEBIBYTES_MAX = 4_096;
/** How long a thread that has no file waits for the next one. */
const IDLE_MS = 10_000;
/** How many times a thread is looked at before it is given up for getting on with nothing. */
const LOOKS = 30;

export interface StallLimit {
  /** How long the decoder may be busy with one column of a row group. */
  readonly stalledMs: number;
}

const defaults: StallLimit = { stalledMs: 30_000 };

/**
 * The row groups of a Parquet file from a row on, decoded in a thread of their own: the decoder of the library can be kept busy
 * without end by pages that are damaged. A thread that gets on with nothing for `stalledMs`, or ends, is an error of the file; the
 * time that the file takes to be read, or the rows to be used, does not count.
 *
 * Memory: two row groups, the one that was given and the one after it.
 *
 * @throws MillraceError `source`, permanent, for what is wrong with the file; what `file.read` throws.
 */
export async function* groupsOf(
  file: RandomAccess,
  path: string,
  from: number,
  { stalledMs }: StallLimit = defaults,
): AsyncGenerator<Group> {
  const thread = idle.pop() ?? new Thread();
  let finished = false;
  let failure: MillraceError | undefined;
  thread.say({ kind: 'open', path, size: file.size, from });
  try {
    for (;;) {
      const message = await thread.next(path, stalledMs);
      switch (message.kind) {
        case 'read':
          try {
            const read = await file.read(message.start, message.end);
            // Only memory of its own can change hands.
            const bytes = read.length === read.buffer.byteLength ? read : read.slice();
            thread.say({ kind: 'bytes', id: message.id, bytes }, [bytes.buffer]);
          } catch (cause) {
            failure = cause instanceof MillraceError ? cause : unreadable(path, messageOf(cause), undefined, cause);
            thread.say({ kind: 'no-bytes', id: message.id });
          }
          break;
        case 'group':
          thread.say({ kind: 'more' });
          yield message.group;
          break;
        case 'end':
          finished = true;
          return;
        case 'failed':
          finished = true;
          throw failure ?? unreadable(path, message.message, message.hint);
      }
    }
  } finally {
    if (finished) thread.rest();
    else thread.end();
  }
}

/** Threads that have no file. */
const idle: Thread[] = [];

class Thread {
  private readonly words = new Int32Array(new SharedArrayBuffer(shared.words * Int32Array.BYTES_PER_ELEMENT));
  private readonly worker: Worker;
  private readonly messages: FromThread[] = [];
  private death: { readonly cause: unknown } | undefined;
  private onNews: () => void = () => undefined;
  private resting: NodeJS.Timeout | undefined;

  constructor() {
    this.worker = startThread(import.meta.url, 'parquet-worker', {
      workerData: this.words,
      execArgv: [],
      name: 'millrace-parquet',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES_MAX },
    });
    this.worker.on('message', (message: FromThread) => {
      this.messages.push(message);
      this.onNews();
    });
    this.worker.on('error', (cause) => {
      this.death ??= { cause };
      this.onNews();
    });
    this.worker.on('exit', (code) => {
      this.death ??= { cause: new Error(`exit code ${code}`) };
      if (idle.includes(this)) idle.splice(idle.indexOf(this), 1);
      this.onNews();
    });
  }

  say(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    clearTimeout(this.resting);
    this.worker.postMessage(message, transfer);
  }

  /** What the thread says next. While somebody waits for it, the process does not end of itself. */
  async next(path: string, stalledMs: number): Promise<FromThread> {
    if (this.messages.length === 0 && this.death === undefined) {
      this.worker.ref();
      await this.news(path, stalledMs);
      this.worker.unref();
    }
    const message = this.messages.shift();
    if (message !== undefined) return message;
    const why = isOutOfMemory(this.death?.cause)
      ? `decoding it takes more than ${HEAP_MEBIBYTES_MAX} MiB of memory`
      : `its decoder died (${messageOf(this.death?.cause)})`;
    throw unreadable(path, why, undefined, this.death?.cause);
  }

  /** Waits for a message, as long as the thread gets on. */
  private news(path: string, stalledMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let seen = Atomics.load(this.words, shared.progress);
      let looks = 0;
      // Looked at many times: where this process itself was stopped for a while, that is one of them.
      const watch = setInterval(() => {
        const progress = Atomics.load(this.words, shared.progress);
        looks = progress === seen ? looks + 1 : 0;
        seen = progress;
        if (looks < LOOKS) return;
        clearInterval(watch);
        const seconds = Math.round(stalledMs / 100) / 10;
        reject(unreadable(path, `its decoder got on with nothing for ${seconds} s`));
      }, stalledMs / LOOKS);
      this.onNews = () => {
        clearInterval(watch);
        resolve();
      };
    });
  }

  /** Has no file any more: waits for the next one, and does not keep the process. */
  rest(): void {
    if (this.death !== undefined) return;
    this.worker.unref();
    idle.push(this);
    this.resting = setTimeout(() => {
      idle.splice(idle.indexOf(this), 1);
      this.end();
    }, IDLE_MS);
    this.resting.unref();
  }

  end(): void {
    void this.worker.terminate();
  }
}

const isOutOfMemory = (cause: unknown): boolean =>
  (cause as { readonly code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';

const unreadable = (path: string, why: string, hint?: string, cause?: unknown): MillraceError =>
  new MillraceError('source', `cannot read the Parquet file: ${why}`, {
    where: path,
    hint: hint ?? 'is it complete, and compressed by Snappy, gzip or zstd, if at all?',
    permanent: true,
    cause,
  });
