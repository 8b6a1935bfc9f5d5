import type { Worker } from 'node:worker_threads';
import { MillraceError, messageOf } from '../../../src/core/errors.js';
import { startThread } from '../../../src/util/thread.js';
import type { Columns } from './packed-rows.js';
import type { FromThread, ToThread } from './to-parquet-protocol.js';

/** How long the thread waits for the next file when it has none. */
const IDLE_MS = 10_000;

let lastId = 0;

/**
 * A Parquet file that is made of packed rows in a thread, beside who packs them. One thread makes all files of a process.
 *
 * Memory: one row group, in the thread, and what is pushed before an earlier push was answered.
 *
 * @throws MillraceError `state` for rows that are damaged; `sink` where the thread ended.
 */
export class Conversion {
  private readonly id = ++lastId;
  private readonly thread = Thread.take();
  private hasEnded = false;

  constructor(columns: Columns, groupRows?: number) {
    this.say({ id: this.id, kind: 'begin', columns, groupRows }).catch(() => undefined); // told at the next word
  }

  /** Takes packed rows, cut anywhere; resolves with the bytes of the row groups that they complete. */
  push(packed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const copy = new Uint8Array(packed);
    return this.say({ id: this.id, kind: 'push', packed: copy }, [copy.buffer]);
  }

  /** Nothing follows: resolves with the rest of the file. */
  end(): Promise<Uint8Array<ArrayBuffer>> {
    return this.last('end');
  }

  /** The file is not wanted any more, if it has not ended. */
  drop(): void {
    if (!this.hasEnded) this.last('drop').catch(() => undefined); // nothing is left of it where the thread ended
  }

  private last(kind: 'end' | 'drop'): Promise<Uint8Array<ArrayBuffer>> {
    this.hasEnded = true;
    return this.say({ id: this.id, kind }).finally(() => this.thread.giveBack());
  }

  private say(message: ToThread, transfer: readonly ArrayBuffer[] = []): Promise<Uint8Array<ArrayBuffer>> {
    return this.thread.ask(message, transfer);
  }
}

/** The bytes of a Parquet file, made of packed rows in a thread, piece after piece. */
export async function* parquetOf(
  packed: AsyncIterable<Uint8Array>,
  columns: Columns,
  groupRows?: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const conversion = new Conversion(columns, groupRows);
  try {
    for await (const piece of packed) {
      const bytes = await conversion.push(piece);
      if (bytes.length > 0) yield bytes;
    }
    yield await conversion.end();
  } finally {
    conversion.drop();
  }
}

interface Asked {
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: unknown) => void;
}

class Thread {
  private static current: Thread | undefined;
  private readonly worker: Worker;
  /** In the order in which they are answered. */
  private readonly asked: Asked[] = [];
  private files = 0;
  private death: MillraceError | undefined;
  private idle: NodeJS.Timeout | undefined;

  /** The thread of this process, for one more file. */
  static take(): Thread {
    Thread.current ??= new Thread();
    const thread = Thread.current;
    clearTimeout(thread.idle);
    thread.files += 1;
    return thread;
  }

  private constructor() {
    this.worker = startThread(import.meta.url, 'to-parquet-worker', { execArgv: [], name: 'millrace-parquet-writer' });
    this.worker.unref();
    this.worker.on('message', (message: FromThread) => {
      const { resolve, reject } = this.asked.shift() as Asked;
      if (this.asked.length === 0) this.worker.unref();
      if (message.kind === 'bytes') return resolve(message.bytes);
      const { code, message: text, hint, permanent } = message;
      reject(new MillraceError(code, text, { ...(hint === undefined ? {} : { hint }), permanent }));
    });
    this.worker.on('error', (cause) => this.die(cause));
    this.worker.on('exit', (code) => this.die(new Error(`exit code ${code}`)));
  }

  /** While an answer is awaited, the process does not end of itself. */
  ask(message: ToThread, transfer: readonly ArrayBuffer[]): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      if (this.death) return reject(this.death);
      this.asked.push({ resolve, reject });
      this.worker.ref();
      this.worker.postMessage(message, transfer);
    });
  }

  giveBack(): void {
    this.files -= 1;
    if (this.files > 0 || this.death) return;
    this.idle = setTimeout(() => {
      this.retire();
      void this.worker.terminate();
    }, IDLE_MS);
    this.idle.unref();
  }

  /** Its files are lost with it; others get a new thread. */
  private die(cause: unknown): void {
    this.retire();
    this.death ??= new MillraceError('sink', `the thread that writes Parquet ended: ${messageOf(cause)}`, {
      hint: 'it is started anew, and makes the file again of the rows that are kept; where memory ran out, roll smaller files',
      cause,
    });
    for (const { reject } of this.asked.splice(0)) reject(this.death);
  }

  /** The next file gets another thread. */
  private retire(): void {
    if (Thread.current === this) Thread.current = undefined;
  }
}
