import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
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
  type WrittenOutput,
} from 'millrace/connect';

const NEWLINE = 10;
const CHUNK_BYTES = 256 * 1024;
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const IDLE_MS = 20;

const fileOf = (folder: string, partition: number): string => join(folder, `${partition}.ndjson`);

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/**
 * The driver of `lines.source`. The offset of a record is the byte position of the newline that ends its line. So incomplete lines are not
 * read, and reading can start at any offset. Memory: one chunk, or the longest line.
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

      /** The next complete line; `undefined` if there is none yet. */
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
        async poll(recordsMax, bytesMax = Number.POSITIVE_INFINITY) {
          const records: RawRecord[] = [];
          let bytes = 0;
          while (!closed && records.length < recordsMax && bytes < bytesMax) {
            const record = await nextLine();
            if (record === undefined) break;
            records.push(record);
            bytes += record.value?.length ?? 0;
          }
          const isDone = records.length < recordsMax && bytes < bytesMax;
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

/** The start of the line that contains a byte. */
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

/** The committable: the number of written files, and the file that still has to be renamed. */
interface Prepared {
  readonly count: number;
  readonly hidden?: string;
  readonly shown?: string;
}

/**
 * The driver of `lines.sink`. An epoch writes to a hidden file. After the checkpoint the file is renamed; this can be repeated. After a crash
 * `open` renames the file of the checkpoint and removes files that no checkpoint covers. A process that was only suspended can rename
 * nothing but a file that has been renamed already. Memory: the values of one `write` as text.
 */
export function linesSink(): SinkDriver {
  return {
    mode: 'prepared',
    async open(sink, { task: { partition }, incarnation, step, committable }) {
      const { folder } = sink.options as { folder: string };
      const failed = (cause: unknown): never => {
        const hint = 'is there room on the disk, and may this process write there?';
        throw new MillraceError('sink', `cannot write to ${folder}`, { where: step, hint, cause });
      };
      const show = async ({ hidden = '', shown }: Prepared) => {
        if (shown === undefined) return;
        await rename(join(folder, hidden), join(folder, shown)).catch((error) => isMissing(error) || failed(error));
      };
      let prepared = (committable as Prepared | undefined) ?? { count: 0 };
      let current: { readonly hidden: string; readonly file: FileHandle } | undefined;
      await mkdir(folder, { recursive: true }).catch(failed);
      await show(prepared);
      for (const name of await readdir(folder))
        if (name.startsWith(`.${partition}-`)) await rm(join(folder, name), { force: true });

      return {
        async write(values) {
          if (current === undefined) {
            const hidden = `.${partition}-${randomUUID()}`;
            current = { hidden, file: await open(join(folder, hidden), 'a').catch(failed) };
          }
          await current.file.appendFile(values.map((value) => `${JSON.stringify(value)}\n`).join('')).catch(failed);
        },
        async prepare() {
          if (current === undefined) return prepared;
          const { hidden, file } = current;
          current = undefined;
          await file.datasync().catch(failed);
          await file.close();
          const count = prepared.count + 1;
          const shown = `${partition}-${incarnation}-${String(count).padStart(8, '0')}.ndjson`;
          prepared = { count, hidden, shown };
          return prepared;
        },
        commit: () => show(prepared),
        async close() {
          await current?.file.close();
        },
      };
    },
  };
}

/** Reads what `lines.sink` wrote, for `millrace verify`. Rows are compared by their content. */
export function linesWritten(): WrittenOutput {
  const folderOf = (sink: { readonly options: unknown }) => (sink.options as { folder: string }).folder;
  return {
    read: async (sink, _place, ordered) => ({
      how: ordered ? 'in order' : 'in any order',
      sorted: false,
      async *entries() {
        const folder = folderOf(sink);
        const names = await readdir(folder).catch((error) => (isMissing(error) ? [] : Promise.reject(error)));
        for (const name of names.filter((one) => !one.startsWith('.')).sort()) {
          const [sequence = ''] = name.split('-'); // the task: where one file ends and the next begins is a matter of time
          for (const line of (await readFile(join(folder, name), 'utf8')).split('\n'))
            if (line !== '') yield { sequence, id: line, digest: line, at: line };
        }
      },
    }),
    remove: (sink) => rm(folderOf(sink), { recursive: true, force: true }),
  };
}

/** The driver of `lines.lookup`: a map of the file, which is read again if its size or time changes. Memory: `linesMax` values. */
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
        async get(keys) {
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
