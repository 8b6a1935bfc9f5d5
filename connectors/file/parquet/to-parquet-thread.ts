import { MillraceError } from '../../../src/core/errors.js';
import { WorkerThread } from '../../../src/util/worker-thread.js';
import type { Columns } from './packed-rows.js';
import type { Converting } from './to-parquet-protocol.js';

/** How long an idle thread waits for the next file. */
const IDLE_MS = 10_000;

interface Writer {
  readonly thread: WorkerThread<Converting>;
  files: number;
}

/** The thread of this process, if it runs, and its files. */
let current: Writer | undefined;
let lastFile = 0;

/**
 * A Parquet file that a thread makes from packed rows, in parallel to packing. One thread makes all files of a process.
 *
 * Memory: one row group in the thread, and what is pushed before an earlier push was answered.
 *
 * @throws MillraceError `state` for damaged rows; `sink` if the thread ended.
 */
export class Conversion {
  private readonly file = ++lastFile;
  private readonly writer = writer();
  private hasEnded = false;

  constructor(columns: Columns, groupRows?: number) {
    this.writer.files += 1;
    this.writer.thread.call('begin', { file: this.file, columns, groupRows }).catch(() => undefined); // the next call reports it
  }

  /** Adds packed rows, cut anywhere; resolves with the bytes of the row groups that they complete. */
  push(packed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const copy = new Uint8Array(packed);
    return this.writer.thread.call('push', { file: this.file, packed: copy }, { transfer: [copy.buffer] });
  }

  /** No rows follow: resolves with the rest of the file. */
  end(): Promise<Uint8Array<ArrayBuffer>> {
    return this.last('end');
  }

  /** Discards the file unless it is complete. */
  drop(): void {
    if (!this.hasEnded) this.last('drop').catch(() => undefined); // if the thread ended, nothing is left of the file
  }

  private last<K extends 'end' | 'drop'>(kind: K): Promise<Converting[K]['answer']> {
    this.hasEnded = true;
    const { writer } = this;
    return writer.thread.call(kind, { file: this.file }).finally(() => {
      writer.files -= 1;
      if (writer.files === 0) writer.thread.rest(IDLE_MS);
    });
  }
}

function writer(): Writer {
  if (current) return current;
  const started: Writer = {
    files: 0,
    thread: new WorkerThread<Converting>({
      from: import.meta.url,
      module: 'to-parquet-worker',
      name: 'millrace-parquet-writer',
      failure: (why, cause) =>
        new MillraceError('sink', `the thread that writes Parquet ${why}`, {
          hint: 'it restarts and makes the file again from the stored rows; if memory ran out, roll smaller files',
          cause,
        }),
      // The next file gets another thread.
      onEnd: () => {
        if (current === started) current = undefined;
      },
    }),
  };
  current = started;
  return started;
}

/** The bytes of a Parquet file that a thread makes from packed rows, piece by piece. */
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
