import { MillraceError } from '../../src/core/errors.js';
import { partitionOf } from '../../src/core/partition.js';
import { JsonRecord, type RawRecord } from '../../src/core/record.js';
import { type Polled, type SourceReader, sliceOfPoll } from '../../src/core/source.js';
import { counted } from '../../src/util/counted.js';
import { pause } from '../../src/util/pause.js';
import type { ReadFiles } from './kinds.js';
import { type Line, lineBytes } from './lines.js';
import { type FileState, filesOf, type Likeness, likenessOf } from './listing.js';
import { type Openers, rowsOfFile } from './rows-of-file.js';
import { UncommittedPositions } from './uncommitted-positions.js';

/** How long a poll waits if there is nothing to read. */
const POLL_WAIT_MS = 100;

/** The position of the next row: in this file, `skip` rows after `at`. */
export interface FileSourceState extends Likeness {
  readonly file: string;
  readonly at: number;
  readonly skip: number;
  /** The number of files up to this one. If there are more later, some came too late to be read in order. */
  readonly files: number;
  /** The file was read to its end. */
  readonly done?: boolean;
}

interface Current extends Likeness {
  readonly file: string;
  readonly files: number;
  readonly writtenMs: number;
  readonly rows: AsyncGenerator<readonly Line[]>;
}

export interface FilesTask {
  readonly partition: number;
  readonly bounded: boolean;
  readonly offset: number;
  readonly sourceState: FileSourceState | undefined;
}

/** A storage of files. */
export interface Storage extends Openers {
  /** The files that a path matches, in the order of their names. */
  list(path: string): Promise<readonly string[]>;
  /** The current identity of a file; `undefined` if it does not exist. */
  likeness(path: string): Promise<FileState | undefined>;
}

const local: Storage = { list: filesOf, likeness: likenessOf };

/** Opens a reader of one task's files at a position, or from the first file. */
export async function openFilesReader(
  options: ReadFiles,
  task: FilesTask,
  storage: Storage = local,
): Promise<SourceReader> {
  const reader = new FilesReader(options, task, storage);
  await reader.begin();
  return reader;
}

/** Memory: the names of the files, one piece of a file (one row group of Parquet), and its rows. */
class FilesReader implements SourceReader {
  private readonly uncommitted = new UncommittedPositions<FileSourceState>();
  private readonly closing = new AbortController();
  /** Names to be read, in order. */
  private queue: string[] = [];
  /** Names that were read or skipped. */
  private readonly known = new Set<string>();
  private last: (Likeness & { readonly file: string }) | undefined;
  private lastEnded = false;
  private current: Current | undefined;
  private rows: readonly Line[] = [];
  private head = 0;
  /** The position of the row at `head`. */
  private at = 0;
  /** Rows to skip, and how many of them follow `at`. */
  private skip: number;
  private next: number;
  private listedAtMs = 0;

  constructor(
    private readonly options: ReadFiles,
    private readonly task: FilesTask,
    private readonly storage: Storage,
  ) {
    this.next = Math.max(0, task.offset); // `EARLIEST` is negative
    // Without a position, earlier rows are counted.
    this.skip = task.sourceState === undefined ? this.next : 0;
  }

  async begin(): Promise<void> {
    const { sourceState } = this.task;
    const names = await this.list();
    if (sourceState !== undefined) {
      const before = names.filter((name) => name <= sourceState.file);
      for (const name of before) this.known.add(name);
      if (before.length > sourceState.files) this.mind(cameLate(before.length - sourceState.files, sourceState.file));
      await this.resume(sourceState);
    }
    this.queue = names.filter((name) => !this.known.has(name));
  }

  get isBehind(): boolean {
    return this.current !== undefined || this.queue.length > 0;
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    while (!this.closing.signal.aborted) {
      if (this.head < this.rows.length) return { records: this.take(recordsMax, bytesMax), ended: false };
      if (this.current !== undefined) await this.readOn(this.current);
      else if (!(await this.openNext())) {
        if (this.task.bounded) break;
        await this.wait();
        if (this.queue.length === 0) return { records: [], ended: this.closing.signal.aborted };
      }
    }
    return { records: [], ended: true };
  }

  sourceStateOf(offset: number): FileSourceState | undefined {
    const found = this.uncommitted.positionOf(offset);
    if (found === undefined) return undefined;
    const { isEnd, ...position } = found;
    const done = isEnd && this.lastEnded && this.last?.file === position.file;
    return done ? { ...position, done } : position;
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.rows = [];
    await this.current?.rows.return(undefined).catch(() => undefined); // the rest is not needed, so its errors do not matter
  }

  private async resume(sourceState: FileSourceState): Promise<void> {
    const found = await this.storage.likeness(sourceState.file);
    if (found === undefined) {
      if (!sourceState.done) this.mind(gone(sourceState.file));
      return;
    }
    if (found.size !== sourceState.size || found.mark !== sourceState.mark) this.mind(changed(sourceState.file));
    this.enter({ file: sourceState.file, files: sourceState.files, ...found }, sourceState.at);
    this.skip = sourceState.skip;
  }

  private async openNext(): Promise<boolean> {
    const name = this.queue.shift();
    if (name === undefined) return false;
    this.known.add(name);
    const found = await this.storage.likeness(name);
    if (found === undefined) this.mind(gone(name));
    else this.enter({ file: name, files: this.known.size, ...found }, 0);
    return true;
  }

  private enter(entered: Omit<Current, 'rows'>, at: number): void {
    const rows = rowsOfFile(entered.file, at, this.options, this.storage, () => this.lookBack());
    this.current = { ...entered, rows };
    this.last = entered;
    this.lastEnded = false;
    this.rows = [];
    this.at = at;
  }

  private async readOn({ rows: file }: Current): Promise<void> {
    const { done, value } = await file.next();
    if (this.closing.signal.aborted) return;
    this.rows = done ? [] : value;
    this.head = 0;
    if (done) {
      this.current = undefined;
      this.lastEnded = true;
      return;
    }
    const passed = Math.min(this.skip, this.rows.length);
    if (passed > 0) {
      this.head = passed;
      this.skip -= passed;
      this.at = (this.rows[passed - 1] as Line).next;
    }
  }

  private take(recordsMax: number, bytesMax: number): RawRecord[] {
    const { file, size, mark, files, writtenMs } = this.current as Current;
    const taken = sliceOfPoll(this.rows, this.head, recordsMax, bytesMax, lineBytes);
    const position = { file, at: this.at, skip: 0, size, mark, files };
    this.uncommitted.add({ first: this.next, count: taken.length, position });
    const records = taken.map((row): RawRecord => {
      const offset = this.next++;
      const { json } = row;
      if (json !== undefined) return new JsonRecord(offset, writtenMs, json);
      return { offset, timestampMs: writtenMs, key: null, value: row.bytes };
    });
    this.head += taken.length;
    this.at = (taken[taken.length - 1] as Line).next;
    return records;
  }

  private async wait(): Promise<void> {
    await pause(Math.min(POLL_WAIT_MS, this.options.everyMs), this.closing.signal);
    if (this.closing.signal.aborted || performance.now() - this.listedAtMs < this.options.everyMs) return;
    const names = await this.list();
    await this.lookBack();
    const fresh = names.filter((name) => !this.known.has(name));
    const { last } = this;
    const late = last === undefined ? [] : fresh.filter((name) => name < last.file);
    if (late.length > 0) this.mind(cameLate(late.length, last?.file ?? ''));
    for (const name of late) this.known.add(name);
    this.queue = fresh.filter((name) => !this.known.has(name));
  }

  /** Checks the file that was read last, which may have been written to or truncated since. */
  private async lookBack(): Promise<void> {
    const { last } = this;
    const now = last && (await this.storage.likeness(last.file));
    if (!now || (now.size === last.size && now.mark === last.mark)) return;
    this.mind(changed(last.file));
    this.last = { ...last, ...now };
  }

  private async list(): Promise<readonly string[]> {
    this.listedAtMs = performance.now();
    const { path, partitions } = this.options;
    const names = await this.storage.list(path);
    return names.filter((name) => partitionOf(Buffer.from(name), partitions) === this.task.partition);
  }

  /** An unexpected change: an error, unless the source is configured to continue. */
  private mind(error: MillraceError): void {
    if (this.options.changed === 'stop') throw error;
  }
}

const HINT = "put it back as it was, or give the source changed: 'pass' to continue with what is there";

const problem = (message: string, where: string, hint = HINT): MillraceError =>
  new MillraceError('source', message, { where, hint, permanent: true });

const gone = (name: string): MillraceError => problem(`${name} was deleted before it was read to its end`, name);

const changed = (name: string): MillraceError =>
  problem(`${name} has changed since it was read: files must not change; file.tailSource follows a growing file`, name);

const cameLate = (count: number, name: string): MillraceError =>
  problem(
    `${counted(count, 'file')} came whose names sort before ${name}, which has been read`,
    name,
    "files are read in the order of their names: rename them so that they sort after it, as by a date or a number in the name, or give the source changed: 'pass' to leave them out",
  );
