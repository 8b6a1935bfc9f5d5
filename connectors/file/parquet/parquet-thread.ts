import { MillraceError, messageOf } from '../../../src/core/errors.js';
import { isOutOfMemory, WorkerThread } from '../../../src/util/worker-thread.js';
import type { RandomAccess } from '../random-access.js';
import type { Decoding, Group, Next } from './parquet-protocol.js';

/** The heap limit of a thread. */
const HEAP_MEBIBYTES_MAX = 4_096;
/** How long an idle thread waits for the next file. */
const IDLE_MS = 10_000;

export interface StallLimit {
  /** How long the decoder may take for one column of a row group. */
  readonly stalledMs: number;
}

const defaults: StallLimit = { stalledMs: 30_000 };

/**
 * The row groups of a Parquet file from a row on, decoded in a separate thread, because damaged pages can keep the library's
 * decoder busy without end. If the thread makes no progress for `stalledMs`, or ends, that is an error of the file. The time for
 * reading the file and for using the rows does not count.
 *
 * Memory: two row groups, the current one and the next one.
 *
 * @throws MillraceError `source`, permanent, for a wrong file; the error of `file.read`.
 */
export async function* groupsOf(
  file: RandomAccess,
  path: string,
  from: number,
  { stalledMs }: StallLimit = defaults,
): AsyncGenerator<Group> {
  const thread = idle.pop() ?? decoder();
  const call = <K extends keyof Decoding>(kind: K, ask: Decoding[K]['ask'], transfer: readonly ArrayBuffer[] = []) =>
    thread.call(kind, ask, { transfer, stallMax: stalledMs });
  let failure: unknown;
  let next: Promise<Next> = call('open', { path, size: file.size, from });
  let finished = false;
  try {
    for (;;) {
      const event = await next;
      if (event.kind === 'end') {
        finished = true;
        return;
      }
      if (event.kind === 'group') {
        next = call('more', undefined);
        next.catch(() => undefined); // thrown after the group has been used
        yield event.group;
        continue;
      }
      const { id, start, end } = event;
      const bytes = await file.read(start, end).catch((cause: unknown): undefined => {
        failure = cause;
      });
      // Only a buffer that is used alone can be transferred.
      const own = bytes && (bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice());
      next = call('bytes', { id, bytes: own }, own ? [own.buffer] : []);
    }
  } catch (error) {
    finished = true;
    throw failure instanceof MillraceError ? failure : unreadable(path, failure ?? error);
  } finally {
    if (finished && !thread.hasEnded) {
      idle.push(thread);
      thread.rest(IDLE_MS);
    } else thread.end();
  }
}

/** Idle threads. */
const idle: WorkerThread<Decoding>[] = [];

function decoder(): WorkerThread<Decoding> {
  const thread: WorkerThread<Decoding> = new WorkerThread({
    from: import.meta.url,
    module: 'parquet-worker',
    name: 'millrace-parquet',
    heapMebibytesMax: HEAP_MEBIBYTES_MAX,
    failure: (why, cause) => {
      const isLarge = isOutOfMemory(cause);
      const message = isLarge
        ? `decoding it takes more than ${HEAP_MEBIBYTES_MAX} MiB of memory`
        : `its decoder ${why}`;
      return new MillraceError('source', message, { cause });
    },
    onEnd: () => {
      if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    },
  });
  return thread;
}

const unreadable = (path: string, error: unknown): MillraceError =>
  new MillraceError('source', `cannot read the Parquet file: ${messageOf(error)}`, {
    where: path,
    hint:
      (error instanceof MillraceError ? error.hint : undefined) ??
      'is it complete, and compressed by Snappy, gzip, Brotli or zstd, if at all?',
    permanent: true,
    cause: error,
  });
