import { EARLIEST } from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import type { RawRecord } from '../../../src/core/record.js';
import { type SourceReader, sliceOfPoll } from '../../../src/core/source.js';
import type { Entries } from '../kinds.js';
import type { Keyed } from '../server/connection.js';
import type { Server } from '../server/server.js';
import { type Entry, isAfter, NO_ID, recordOf, sizeOf } from './entry.js';
import { hasHoles, type StreamState, stateOf } from './stream-state.js';

/** How long a poll waits if there is nothing new. */
const POLL_WAIT_MS = 100;
/** Entries per read, and in the first one: their size is known only when they have arrived. */
const READ_MAX = 1_000;
const READ_FIRST = 16;
/** If a read has more bytes, the next one has half as many entries. */
const READ_BYTES = 4 * 1024 * 1024;

/** The position of the next entry: after the one with this id. */
export interface EntriesSourceState {
  readonly id: string;
}

export interface EntriesTask {
  /** The Redis key of the stream. */
  readonly stream: string;
  readonly bounded: boolean;
  readonly offset: number;
  readonly sourceState: EntriesSourceState | undefined;
  readonly onDataLoss: 'earliest' | 'latest' | undefined;
}

type Polled = Awaited<ReturnType<SourceReader['poll']>>;

/**
 * Reads one stream over its own connection. Each read returns entries and the state of the stream at one moment, so the number of
 * trimmed entries is exact. Memory: `READ_MAX` entries, or about twice `READ_BYTES` of entries as large as the ones before, and the
 * ids of those after the last checkpoint.
 */
export class EntriesReader implements SourceReader {
  private buffer: readonly Entry[] = [];
  private head = 0;
  private readMax = READ_FIRST;
  /** Id of the last entry that was read into the buffer, and the number of the next one. */
  private after: string;
  private next: number;
  /** Entries to skip: their position is not known, only their number. */
  private passOver = 0;
  private skipped = 0;
  /** The ids of returned entries, by the offset that follows each. */
  private given: { readonly offset: number; readonly id: string }[] = [];
  private lastAtOpen = NO_ID;
  private caughtUp = false;
  private reachedEnd = false;
  private closed = false;

  private constructor(
    private readonly server: Server,
    private readonly options: Entries,
    private readonly task: EntriesTask,
  ) {
    this.after = task.sourceState?.id ?? NO_ID;
    this.next = Math.max(0, task.offset);
  }

  /** @throws MillraceError `source` if the stream is not the one that the checkpoint refers to. */
  static async open(server: Server, options: Entries, task: EntriesTask): Promise<EntriesReader> {
    const reader = new EntriesReader(server, options, task);
    try {
      await reader.begin();
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  get isBehind(): boolean {
    return !this.caughtUp && isAfter(this.lastAtOpen, this.after);
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    let waited = false;
    while (!this.closed) {
      if (this.head < this.buffer.length) return this.polled(this.take(recordsMax, bytesMax), false);
      if (this.reachedEnd) break;
      await this.unlessClosed(() => this.read(Math.min(recordsMax, this.readMax)));
      if (this.head < this.buffer.length || this.reachedEnd) continue;
      if (waited) return this.polled([], false);
      await this.unlessClosed(() => this.wait());
      waited = true;
    }
    return this.polled([], true);
  }

  sourceStateOf(offset: number): EntriesSourceState | undefined {
    const index = this.given.findLastIndex((each) => each.offset <= offset);
    const found = this.given[index];
    if (found === undefined) return undefined;
    this.given = this.given.slice(index);
    return { id: found.id };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.buffer = [];
    this.server.disconnect();
  }

  private async begin(): Promise<void> {
    const { offset, sourceState } = this.task;
    const [state] = await this.look(1);
    this.lastAtOpen = state.lastId;
    this.caughtUp = !isAfter(state.lastId, this.after);
    this.reachedEnd = this.task.bounded && this.caughtUp;
    if (sourceState !== undefined) return this.mustBeTheSame(state);
    const first = state.added - state.length;
    if (offset > state.added) throw this.gone(`it holds ${first} to ${state.added}`);
    if (offset !== EARLIEST && offset < first) return; // the first read reports it
    this.passOver = offset === EARLIEST ? 0 : offset - first;
    this.next = first;
  }

  /** The state of the stream and its next entries, read at one moment. */
  private async look(count: number): Promise<readonly [StreamState, readonly Entry[]]> {
    const { stream: key } = this.task;
    const commands: Keyed[] = [
      { key, command: ['xinfo', 'stream', key] },
      { key, command: ['xrange', key, `(${this.after}`, '+', 'COUNT', count], binary: true },
    ];
    return this.server.attempt(
      `cannot read the stream ${key}`,
      async (on) => {
        const [info, found] = await on.transact(commands);
        if (found instanceof Error) throw found;
        return [stateOf(info, key), found as readonly Entry[]] as const;
      },
      'source',
    );
  }

  private async read(count: number): Promise<void> {
    const [state, found] = await this.look(count);
    this.mustBeTheSame(state);
    const bytes = found.reduce((sum, entry) => sum + sizeOf(entry), 0);
    this.readMax = bytes > READ_BYTES ? Math.ceil(this.readMax / 2) : Math.min(READ_MAX, this.readMax * 2);
    const { onDataLoss } = this.task;
    const trimmed =
      state.firstId === undefined || isAfter(state.firstId, this.after) ? state.added - state.length - this.next : 0;
    const holes = hasHoles(state, this.after);
    if (onDataLoss === undefined && trimmed > 0)
      throw this.gone(`${trimmed} entries were trimmed before they were read`);
    // After deleted entries a replay might count differently, and so skip values that were not written or write them twice.
    if (onDataLoss === undefined && holes) throw this.gone(`some were deleted, up to ${state.deletedId}`);
    if (onDataLoss === 'latest' && (trimmed > 0 || holes)) return this.goTo(state);
    this.skip(Math.max(0, trimmed));
    const isAll = found.length < count;
    if (isAll) this.skip(Math.max(0, state.added - found.length - this.next));
    this.caughtUp ||= isAll;
    this.enter(found, isAll);
  }

  private skip(count: number): void {
    this.skipped += count;
    this.next += count;
  }

  /** Continues after the last entry. */
  private goTo({ added, lastId }: StreamState): void {
    this.skip(added - this.next);
    this.after = lastId;
    this.passOver = 0;
    this.caughtUp = true;
    this.enter([], true);
  }

  private enter(entries: readonly Entry[], isAll: boolean): void {
    const passed = Math.min(this.passOver, entries.length);
    this.passOver -= passed;
    this.next += passed;
    const last = entries.at(-1);
    if (last) this.after = String(last[0]);
    let within = entries;
    if (this.task.bounded) {
      this.reachedEnd = isAll || !isAfter(this.lastAtOpen, this.after);
      if (isAfter(this.after, this.lastAtOpen))
        within = entries.filter(([id]) => !isAfter(String(id), this.lastAtOpen));
    }
    this.buffer = within;
    this.head = passed;
  }

  private take(recordsMax: number, bytesMax: number): RawRecord[] {
    const taken = sliceOfPoll(this.buffer, this.head, recordsMax, bytesMax, sizeOf);
    this.head += taken.length;
    return taken.map((entry) => {
      const record = recordOf(entry, this.next++, this.options);
      this.given.push({ offset: this.next, id: String(entry[0]) });
      return record;
    });
  }

  private polled(records: readonly RawRecord[], ended: boolean): Polled {
    const { skipped } = this;
    this.skipped = 0;
    return skipped > 0 ? { records, ended, skipped } : { records, ended };
  }

  /** Waits until there is an entry, or for a short time. */
  private async wait(): Promise<void> {
    const { stream: key } = this.task;
    const block = ['COUNT', 1, 'BLOCK', POLL_WAIT_MS] as const;
    const command = ['xread', ...block, 'STREAMS', key, this.after] as const;
    await this.server.send(`cannot read the stream ${key}`, [{ key, command }], 'source');
  }

  /** `close` breaks the connection and so ends work in progress. */
  private async unlessClosed(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.closed) throw error;
    }
  }

  private mustBeTheSame({ added, lastId }: StreamState): void {
    if (added >= this.next && !isAfter(this.after, lastId)) return;
    throw new MillraceError('source', `the stream ${this.task.stream} is not the one that was read before`, {
      where: this.task.stream,
      hint: 'it was deleted, or its server lost part of it: give the source another id to read it from the beginning',
      permanent: true,
    });
  }

  private gone(what: string): MillraceError {
    return new MillraceError(
      'source',
      `from ${this.next} on, entries of the stream ${this.task.stream} are gone: ${what}`,
      {
        where: this.task.stream,
        hint: 'delete only entries that a checkpoint has passed, or keep more entries; with `onDataLoss` the source continues',
        permanent: true,
      },
    );
  }
}
