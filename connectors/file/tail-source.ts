import type { FileHandle } from 'node:fs/promises';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { RawRecord } from '../../src/core/record.js';
import { type Polled, type SourceReader, sliceOfPoll } from '../../src/core/source.js';
import { pause } from '../../src/util/pause.js';
import {
  beginsAs,
  findAgain,
  type Generation,
  generationAt,
  generationsOf,
  headOf,
  type Identity,
  openGeneration,
} from './generations.js';
import type { ReadFiles } from './kinds.js';
import { type Line, Lines, lineBytes } from './lines.js';
import { lineBytesMax } from './rows-of-file.js';
import { UncommittedPositions } from './uncommitted-positions.js';

const PIECE_BYTES = 256 * 1024;
/** How long a poll waits if nothing was written. */
const POLL_WAIT_MS = 100;
/** How long a writer may continue with a renamed file. */
const GRACE_MS = 1_000;

/** The position of the next line: in the file with this identity, `skip` lines after byte `at`. */
export interface TailSourceState extends Identity {
  readonly at: number;
  readonly skip: number;
}

export interface TailTask {
  readonly bounded: boolean;
  readonly offset: number;
  readonly sourceState: TailSourceState | undefined;
}

/**
 * Follows a growing file from a position, or from its beginning.
 *
 * @throws MillraceError `source`, also from `poll`: permanent if the file of the position is gone, temporary if it cannot be read.
 */
export async function openTailReader(options: ReadFiles, task: TailTask): Promise<SourceReader> {
  const reader = new TailReader(options, task);
  try {
    await reader.begin();
  } catch (error) {
    await reader.close();
    throw unreadable(options.path, error);
  }
  return reader;
}

/** Memory: one piece of 256 KiB, its lines, and an incomplete line. */
class TailReader implements SourceReader {
  private readonly uncommitted = new UncommittedPositions<TailSourceState>();
  private readonly closing = new AbortController();
  private file: FileHandle | undefined;
  private identity: Identity = { id: '', head: { bytes: 0, digest: '' } };
  private lines: Lines;
  private readAt = 0;
  private rows: readonly Line[] = [];
  private head = 0;
  private at = 0;
  private skip: number;
  private next: number;
  /** All existing lines have been returned. */
  private caughtUp = false;
  /** The last read found nothing: a file that is longer now may have been truncated and written again meanwhile. */
  private wasAtEnd = false;
  /** When another file was first seen at the path. */
  private leftAtMs: number | undefined;
  /** The end of a bounded run: the size of the newest file at the start. */
  private end: { readonly id: string; readonly size: number } | undefined;

  constructor(
    private readonly options: ReadFiles,
    private readonly task: TailTask,
  ) {
    this.next = Math.max(0, task.offset); // `EARLIEST` is negative
    this.skip = task.sourceState === undefined ? this.next : 0;
    this.lines = this.linesAt(0);
  }

  async begin(): Promise<void> {
    const { sourceState, bounded } = this.task;
    const { path } = this.options;
    if (bounded) this.end = (await generationAt(path)) ?? { id: '', size: 0 };
    if (sourceState === undefined) return;
    for (;;) {
      const found = await findAgain(path, sourceState);
      if (found === undefined || found.size < sourceState.at) {
        if (this.options.changed === 'stop') throw lost(path);
        return;
      }
      if (await this.enter(found, sourceState.at)) break;
    }
    this.skip = sourceState.skip;
  }

  get isBehind(): boolean {
    return !this.caughtUp;
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    try {
      return await this.pollOn(recordsMax, bytesMax);
    } catch (error) {
      throw unreadable(this.options.path, error);
    }
  }

  private async pollOn(recordsMax: number, bytesMax: number): Promise<Polled> {
    while (!this.closing.signal.aborted) {
      if (this.head < this.rows.length) return { records: this.take(recordsMax, bytesMax), ended: false };
      if (this.file === undefined) {
        const begun = await this.enterFirst();
        if (begun) continue;
      } else if ((await this.readOn(this.file)) || (await this.moveOn(this.file))) continue;
      this.caughtUp = true;
      if (this.task.bounded && this.isAtEnd()) break;
      await pause(POLL_WAIT_MS, this.closing.signal);
      return { records: [], ended: this.closing.signal.aborted };
    }
    return { records: [], ended: true };
  }

  sourceStateOf(offset: number): TailSourceState | undefined {
    const found = this.uncommitted.positionOf(offset);
    if (found === undefined) return undefined;
    const { isEnd: _, ...position } = found;
    return position;
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.rows = [];
    const { file } = this;
    this.file = undefined;
    await file?.close().catch(() => undefined); // it was only read
  }

  private isAtEnd(): boolean {
    const { end, identity, readAt } = this;
    return (
      this.file === undefined || end === undefined || end.id === '' || (identity.id === end.id && readAt >= end.size)
    );
  }

  private async enterFirst(): Promise<boolean> {
    for (;;) {
      const found = await generationAt(this.options.path);
      if (found === undefined) return false;
      if (await this.enter(found, 0)) return true;
    }
  }

  /** Opens a generation; resolves with false if it was renamed since it was found. */
  private async enter(found: Generation, at: number): Promise<boolean> {
    const file = await openGeneration(found);
    if (file === undefined) return false;
    await this.file?.close();
    this.file = file;
    this.identity = { id: found.id, head: await headOf(file) };
    this.begunAt(at);
    return true;
  }

  /** The file has new content: what was not read before is lost. */
  private async beginAnew(file: FileHandle): Promise<void> {
    this.identity = { ...this.identity, head: await headOf(file) };
    this.begunAt(0);
  }

  private begunAt(at: number): void {
    this.lines = this.linesAt(at);
    this.readAt = at;
    this.at = at;
    this.rows = [];
    this.head = 0;
    this.leftAtMs = undefined;
    this.wasAtEnd = false;
  }

  private linesAt(at: number): Lines {
    const { schema } = this.options;
    return new Lines({ at, quoted: schema.format === 'csv', bytesMax: lineBytesMax(this.options) });
  }

  /** Reads a piece; resolves with whether there was one. */
  private async readOn(file: FileHandle): Promise<boolean> {
    const { end, identity, readAt } = this;
    const most = end?.id === identity.id ? Math.min(PIECE_BYTES, end.size - readAt) : PIECE_BYTES;
    if (most <= 0) return false;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(most), 0, most, readAt);
    if (bytesRead === 0) {
      this.wasAtEnd = true;
      return false;
    }
    if (this.wasAtEnd && !(await beginsAs(file, identity.head))) {
      await this.beginAnew(file);
      return true;
    }
    this.wasAtEnd = false;
    if (identity.head.bytes === 0) this.identity = { ...identity, head: await headOf(file) };
    this.readAt += bytesRead;
    this.accept(this.lines.push(buffer.subarray(0, bytesRead)));
    return true;
  }

  /** At the end of a file: resolves with whether another file, or the truncated one, is read from now on. */
  private async moveOn(file: FileHandle): Promise<boolean> {
    const { path } = this.options;
    const newest = await generationAt(path);
    if (newest?.id === this.identity.id) {
      if (newest.size >= this.readAt) return false;
      await this.beginAnew(file);
      return true;
    }
    this.leftAtMs ??= performance.now();
    if (!this.task.bounded && performance.now() - this.leftAtMs < GRACE_MS) return false;
    const last = this.lines.end();
    if (last !== undefined) {
      this.accept([last]);
      return true;
    }
    const next = await this.following(await generationsOf(path));
    if (next === undefined) return false; // it was renamed, and the new file does not exist yet
    await this.enter(next, 0); // or retry
    return true;
  }

  /** The file after this one; if this one is gone, the first that was written to since. */
  private async following(generations: readonly Generation[]): Promise<Generation | undefined> {
    const own = generations.findIndex(({ id }) => id === this.identity.id);
    if (own >= 0) return generations[own + 1];
    const { mtimeMs = 0 } = (await this.file?.stat()) ?? {};
    return generations.find(({ path, writtenMs }) => path === this.options.path || writtenMs >= mtimeMs);
  }

  private accept(rows: readonly Line[]): void {
    const passed = Math.min(this.skip, rows.length);
    this.rows = rows;
    this.head = passed;
    this.skip -= passed;
    if (passed > 0) this.at = (rows[passed - 1] as Line).next;
  }

  private take(recordsMax: number, bytesMax: number): RawRecord[] {
    const taken = sliceOfPoll(this.rows, this.head, recordsMax, bytesMax, lineBytes);
    this.uncommitted.add({
      first: this.next,
      count: taken.length,
      position: { ...this.identity, at: this.at, skip: 0 },
    });
    this.head += taken.length;
    this.at = (taken[taken.length - 1] as Line).next;
    const timestampMs = Date.now();
    return taken.map(({ bytes }) => ({ offset: this.next++, timestampMs, key: null, value: bytes }));
  }
}

const unreadable = (path: string, cause: unknown): MillraceError =>
  cause instanceof MillraceError
    ? cause
    : new MillraceError('source', `cannot read ${path}: ${messageOf(cause)}`, {
        where: path,
        hint: 'check that this process may read the file, its folder and its rotated files',
        cause,
      });

const lost = (path: string): MillraceError =>
  new MillraceError('source', `the last file that was read is neither at ${path} nor among its rotated files`, {
    where: path,
    hint: "keep rotated files uncompressed until they are read (logrotate: delaycompress); changed: 'pass' continues with the existing file",
    permanent: true,
  });
