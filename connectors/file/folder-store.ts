import { randomBytes } from 'node:crypto';
import { copyFile, type FileHandle, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { Compress } from './compress.js';
import type { Columns } from './parquet/packed-rows.js';
import { ParquetFile } from './parquet/parquet-file.js';
import { RowBuffer } from './parquet/row-buffer.js';
import { GROUP_ROWS } from './parquet/to-parquet.js';
import type { Part, PartStore } from './rolling-writer.js';
import type { Row } from './row-encoder.js';
import { HIDDEN } from './written.js';

/** The size of the write buffer, and of the pieces that are compressed. */
const BUFFER_BYTES = 256 * 1024;

/** In the hidden folder: the sink that the folder belongs to. */
const OWNER = 'owner';

interface Kept {
  readonly temp: string;
  readonly bytes: number;
}

interface Complete {
  readonly temp: string;
  /** For a converted file: its packed rows, which the previous checkpoint still names. */
  readonly packed?: string;
}

export interface FolderStoreOptions {
  readonly folder: string;
  /** The owner in names of parts: topology, step and task. */
  readonly owner: string;
  /** The sink that the folder belongs to: topology and step. */
  readonly sink: string;
  readonly compress: Compress;
  /** For Parquet: a part has packed rows, from which the visible file is made. If missing, the part itself becomes visible. */
  readonly columns?: Columns | undefined;
}

/**
 * Parts in a hidden folder beside the files. Each name contains a claim that no other owner has, so a process that lost its task
 * without knowing writes to files that nobody reads. A part that is taken over is copied, up to what was kept. A complete part
 * becomes visible by a hard link, which never replaces a file.
 */
export class FolderStore implements PartStore {
  private readonly claim = randomBytes(4).toString('hex');
  private readonly hidden: string;
  /** Parts of earlier owners, found when this store opened; they exclude parts of later owners. */
  private leftovers: readonly string[] = [];

  private constructor(private readonly options: FolderStoreOptions) {
    this.hidden = join(options.folder, HIDDEN);
  }

  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    const store = new FolderStore(options);
    await at(options.folder, async () => {
      await mkdir(store.hidden, { recursive: true });
      await store.claimFolder();
      store.leftovers = (await readdir(store.hidden)).filter((name) => name.startsWith(`${options.owner}~`));
    });
    return store;
  }

  async create(name: string): Promise<Part> {
    const { folder } = this.options;
    if (await isThere(join(folder, name))) throw isThereAlready(folder, name);
    return this.partAt(name, 0);
  }

  async adopt(name: string, kept: unknown): Promise<Part | undefined> {
    const { temp, bytes } = kept as Kept;
    const own = this.tempOf(name);
    return at(this.options.folder, async () => {
      try {
        await copyFile(join(this.hidden, temp), join(this.hidden, own));
      } catch (error) {
        if (!isMissing(error)) throw error;
        if (await isThere(join(this.options.folder, name))) return undefined;
        throw lost(name, this.options.folder);
      }
      return this.partAt(name, bytes);
    });
  }

  async show(name: string, complete: unknown): Promise<void> {
    const { folder } = this.options;
    const { temp, packed } = complete as Complete;
    const file = join(folder, name);
    await at(folder, async () => {
      await mkdir(dirname(file), { recursive: true });
      const part = join(this.hidden, temp);
      try {
        await link(part, file);
      } catch (error) {
        if (isMissing(error)) {
          if (!(await isThere(file))) throw lost(name, folder);
        } else if (!isExisting(error)) throw error;
        else if (!(await isSame(part, file))) throw isThereAlready(folder, name);
      }
      for (const each of new Set([dirname(file), folder])) await sync(each);
      await rm(part, { force: true });
      if (packed !== undefined) await rm(join(this.hidden, packed), { force: true });
    });
  }

  async sweep(): Promise<void> {
    const gone = this.leftovers;
    this.leftovers = [];
    await at(this.options.folder, () => Promise.all(gone.map((name) => rm(join(this.hidden, name), { force: true }))));
  }

  /** File names identify tasks, not sinks: two sinks in one folder would produce the same names. */
  private async claimFolder(): Promise<void> {
    const { folder, sink } = this.options;
    const path = join(this.hidden, OWNER);
    const own = `${path}~${this.claim}`;
    let holder = await readFile(path, 'utf8').catch(unlessMissing);
    if (holder === undefined) {
      const file = await open(own, 'w');
      try {
        await file.writeFile(sink);
        await file.sync();
      } finally {
        await file.close();
      }
      await link(own, path).catch((error) => {
        if (!isExisting(error)) throw error;
      });
      await rm(own);
      await sync(this.hidden);
      holder = await readFile(path, 'utf8');
    }
    if (holder === sink) return;
    throw new MillraceError('config', `${folder} belongs to the sink ${holder}`, {
      where: sink,
      hint: 'give each sink its own folder',
      permanent: true,
    });
  }

  private tempOf = (name: string): string => `${this.options.owner}~${name.replaceAll('/', '~')}~${this.claim}.part`;

  private async partAt(name: string, bytes: number): Promise<Part> {
    const { folder, compress, columns } = this.options;
    const temp = this.tempOf(name);
    return at(folder, async () => {
      const file = await open(join(this.hidden, temp), bytes === 0 ? 'w' : 'r+');
      try {
        await file.truncate(bytes);
        await sync(this.hidden);
      } catch (error) {
        await file.close();
        throw error;
      }
      const parquet = columns && new ParquetFile(join(this.hidden, temp), columns);
      return new FilePart({ folder, hidden: this.hidden, temp, compress, parquet }, file, bytes);
    });
  }
}

interface PartParts extends Pick<FolderStoreOptions, 'folder' | 'compress'> {
  readonly hidden: string;
  readonly temp: string;
  readonly parquet: ParquetFile | undefined;
}

/** Memory: twice 256 KiB and one row; for Parquet also a row group, in a thread. */
class FilePart implements Part {
  bytes = 0;
  private readonly waiting = new RowBuffer();
  /** The rows that this process has appended. */
  private rows = 0;

  constructor(
    private readonly parts: PartParts,
    private readonly file: FileHandle,
    /** The size of the file. */
    private size: number,
  ) {}

  append(row: Row): void | Promise<void> {
    const written = this.waiting.bytes + row.length > BUFFER_BYTES ? this.flush() : undefined;
    this.bytes += this.waiting.add(row);
    const { parquet } = this.parts;
    if (parquet === undefined) return written;
    this.rows += 1;
    return this.rows % GROUP_ROWS === 0 ? this.convert(parquet, written) : written;
  }

  async keep(): Promise<Kept> {
    await this.flush();
    await at(this.parts.folder, () => this.file.datasync());
    return { temp: this.parts.temp, bytes: this.size };
  }

  async complete(): Promise<Complete> {
    const { folder, hidden, temp, parquet } = this.parts;
    await this.keep();
    await this.file.close();
    if (parquet === undefined) return { temp };
    await at(folder, async () => {
      await parquet.end(this.size);
      await sync(hidden);
    });
    return { temp: parquet.name, packed: temp };
  }

  async close(): Promise<void> {
    await Promise.all([this.file.close(), this.parts.parquet?.close()]);
  }

  /** Converts complete row groups in the background, one at a time, while rows are appended. */
  private async convert(parquet: ParquetFile, before: Promise<void> | undefined): Promise<void> {
    await before;
    await this.flush();
    await at(this.parts.folder, () => parquet.goOn(this.size));
  }

  private async flush(): Promise<void> {
    if (this.waiting.bytes === 0) return;
    const rows = this.waiting.take();
    await at(this.parts.folder, async () => {
      const bytes = await this.parts.compress(rows);
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await this.file.write(bytes, written, bytes.length - written, this.size + written);
        written += bytesWritten;
      }
      this.size += bytes.length;
    });
    this.waiting.giveBack(rows);
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whether two names refer to one file. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
  return a.dev === b.dev && a.ino === b.ino;
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';
const isExisting = (error: unknown): boolean => (error as { code?: unknown }).code === 'EEXIST';

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

const isThereAlready = (folder: string, name: string): MillraceError =>
  new MillraceError('config', `${join(folder, name)} already exists`, {
    where: folder,
    hint: 'it is not in the checkpoints of this sink: use an empty folder, or move the file',
    permanent: true,
  });

const lost = (name: string, folder: string): MillraceError =>
  new MillraceError('sink', `rows of ${name} that the checkpoint lists as written are missing`, {
    where: folder,
    hint: `files were removed from ${join(folder, HIDDEN)}: restore them, or restore an earlier savepoint`,
    permanent: true,
  });

/** Errors that stay until somebody changes something. */
const lastingHints: Readonly<Record<string, string>> = {
  EACCES: 'may this process write there?',
  EPERM: 'may this process write there, and has the file system hard links?',
  ENOTSUP: 'files appear by hard links: use a file system that has them',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
};
const hints: Readonly<Record<string, string>> = {
  ...lastingHints,
  ENOSPC: 'the disk is full: writing continues when there is space',
};

/** Converts errors of the file system to `MillraceError`s. */
async function at<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    const code = String((error as { code?: unknown }).code);
    const hint = hints[code] ?? 'the message comes from the operating system';
    throw new MillraceError('sink', `cannot write files: ${messageOf(error)}`, {
      where: folder,
      hint,
      permanent: code in lastingHints,
      cause: error,
    });
  }
}
