import { type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EARLIEST,
  type LookupDriver,
  MISSING,
  MillraceError,
  type RawRecord,
  type SinkDriver,
  type SourceDriver,
  type WriteMode,
} from 'millrace/connect';

const NEWLINE = 10;
const CHUNK_BYTES = 256 * 1024;
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const IDLE_MS = 20;

const fileOf = (folder: string, partition: number): string => join(folder, `${partition}.ndjson`);

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/**
 * The driver of `lines.source`. A record's offset is the place of the newline that ends its line, so a line counts once it is
 * complete, and any offset can be gone back to. Memory: one chunk, or the longest line.
 */
export function linesSource(): SourceDriver {
  return {
    partitions: async (source) => (source.options as { partitions: number }).partitions,
    async open(source, { partition, offset, bounded, step }) {
      const file = fileOf((source.options as { folder: string }).folder, partition);
      let handle: FileHandle | undefined = await openIfThere(file);
      let at = offset === EARLIEST || !handle ? 0 : await lineStart(handle, offset);
      const end = bounded ? ((await handle?.stat())?.size ?? 0) : Number.POSITIVE_INFINITY;
      let held: Buffer = Buffer.alloc(0); // read and not yet given: it begins at `at`
      let closed = false;

      /** The next line that is complete; `undefined` where there is none yet. */
      async function nextLine(): Promise<RawRecord | undefined> {
        handle ??= await openIfThere(file);
        let from = 0;
        for (;;) {
          const newline = held.indexOf(NEWLINE, from);
          if (newline >= 0) {
            const record = { offset: at + newline, timestampMs: 0, key: null, value: held.subarray(0, newline) };
            held = held.subarray(newline + 1);
            at = record.offset + 1;
            return record;
          }
          if (held.length > LINE_BYTES_MAX)
            throw new MillraceError('source', `a line of ${file} is longer than ${LINE_BYTES_MAX} bytes`, {
              where: step,
            });
          from = held.length;
          const size = Math.min(CHUNK_BYTES, end - at - held.length);
          const chunk = size > 0 ? await handle?.read(Buffer.alloc(size), 0, size, at + held.length) : undefined;
          if (!chunk?.bytesRead) return undefined;
          held = Buffer.concat([held, chunk.buffer.subarray(0, chunk.bytesRead)]);
        }
      }

      return {
        async poll(recordsMax) {
          const records: RawRecord[] = [];
          while (!closed && records.length < recordsMax) {
            const record = await nextLine();
            if (record === undefined) break;
            records.push(record);
          }
          const isDone = records.length < recordsMax;
          if (isDone && !bounded && records.length === 0 && !closed) await sleep(IDLE_MS);
          return { records, ended: bounded && isDone };
        },
        async close() {
          closed = true;
          await handle?.close();
          handle = undefined;
        },
      };
    },
  };
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new MillraceError('source', `cannot open ${file}`, { where: file, cause });
  }
}

/** Where the line begins that a byte lies in. */
async function lineStart(handle: FileHandle, offset: number): Promise<number> {
  for (let end = offset; end > 0; ) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - from), 0, end - from, from);
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    end = from;
  }
  return 0;
}

/**
 * The driver of `lines.sink`. The checkpoint has the length of the file: who opens it again cuts off what came after that, and
 * the same values are written anew. Memory: `linesMax` lines and one chunk.
 */
export function linesSink(mode: WriteMode): SinkDriver {
  return {
    mode,
    async open(sink, { task, step, committable }) {
      const { folder, linesMax } = sink.options as { folder: string; linesMax: number };
      const file = fileOf(folder, task.partition);
      const failed = (cause: unknown) =>
        new MillraceError('sink', `cannot write to ${file}`, {
          where: step,
          hint: 'is there room on the disk, and may this process write there?',
          cause,
        });
      let bytes = (committable as { bytes: number } | undefined)?.bytes ?? 0;
      let waiting: string[] = [];
      const handle = await mkdir(folder, { recursive: true })
        .then(() => open(file, 'a'))
        .catch((cause: unknown) => Promise.reject(failed(cause)));
      await handle.truncate(bytes);

      async function flush(): Promise<void> {
        if (waiting.length === 0) return;
        const text = Buffer.from(waiting.join(''));
        waiting = [];
        await handle.appendFile(text).catch((cause: unknown) => Promise.reject(failed(cause)));
        bytes += text.length;
      }

      return {
        async write(values) {
          for (const value of values) waiting.push(`${JSON.stringify(value)}\n`);
          if (waiting.length >= linesMax) await flush();
        },
        async prepare() {
          await flush();
          await handle.datasync();
          return { bytes };
        },
        close: () => handle.close(),
      };
    },
  };
}

/** The driver of `lines.lookup`: the file as a map, read again when its size or time has changed. Memory: `linesMax` values. */
export function linesLookup(): LookupDriver {
  return {
    async open(lookup, step) {
      const { file, key, linesMax } = lookup.options as { file: string; key: string; linesMax: number };
      let known = '';
      let values: ReadonlyMap<string, unknown> = new Map();

      async function refresh(): Promise<void> {
        try {
          const { size, mtimeMs } = await stat(file);
          if (known === `${size}/${mtimeMs}`) return;
          values = entriesOf(await readFile(file, 'utf8'), key, linesMax);
          known = `${size}/${mtimeMs}`;
        } catch (cause) {
          if (cause instanceof MillraceError) throw cause;
          const hint = 'is the file there, and is every line JSON?';
          throw new MillraceError('lookup', `cannot read ${file}`, { where: step, hint, cause });
        }
      }

      return {
        keysMax: 1_000,
        async ask(keys) {
          await refresh();
          return keys.map((one) => (values.has(one) ? { kind: 'found', value: values.get(one) } : MISSING));
        },
        ping: refresh,
        close: async () => undefined,
      };
    },
  };
}

function entriesOf(text: string, key: string, linesMax: number): ReadonlyMap<string, unknown> {
  const found = text.split('\n').filter((line) => line !== '');
  if (found.length > linesMax)
    throw new MillraceError('lookup', `there are ${found.length} lines`, { permanent: true, hint: 'raise linesMax' });
  return new Map(found.map((line) => JSON.parse(line)).map((value) => [String(value[key]), value]));
}
