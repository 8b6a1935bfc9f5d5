import {
  assert,
  type BucketChange,
  type Cell,
  type CellSpec,
  type EpochEnd,
  type MillraceError,
} from '../core/index.js';
import { checkTag, decode, encode, tags, unreadable } from './codec.js';
import { hashKey } from './map/hash.js';
import { SampledTime } from './sampled-time.js';

/** Bytes with updates, one after another. Whoever writes or reads one moves `at` behind it. */
export interface LoggedBytes {
  readonly view: DataView;
  at: number;
  readonly end: number;
}

/** Room for updates, which begin at multiples of 4 bytes. */
export interface UpdateChunk extends LoggedBytes {
  /** The same bytes, also as words of 32 bits and as numbers: plain arrays are written faster than a view. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly numbers: Float32Array;
}

/** What the updates of a log change. */
export interface LoggedCells {
  readonly cells: readonly Cell[];
  /** Names them within the task: alike models write their first snapshots in different epochs. */
  readonly name: string;
  /** Applies the updates between `at` and `end` again. */
  apply(chunk: LoggedBytes): void;
}

/**
 * The updates of some other cells since their changed buckets were last written. The others are its snapshot. An epoch writes the
 * new updates, or all changed buckets (and then deletes the updates): whatever is less over time.
 */
export interface UpdateLogCell extends Cell {
  /** Applies what a restore found, and from now on decides when the cells write their changes. */
  cover(covered: LoggedCells): void;
  /** Call before and after an update is applied for the first time: it takes as long to apply it again. */
  beginUpdate(): void;
  endUpdate(): void;
  /** Room for an update of up to so many bytes; `undefined` if this epoch will write a snapshot anyway. */
  room(bytes: number): UpdateChunk | undefined;
  /** Applies the restored updates that were not applied yet. */
  settle(): void;
  /** Whether there are any. */
  readonly lags: boolean;
}

/** When a log is cut, and what it must have been written with. */
export interface UpdateLogOptions {
  /** The longest that applying the updates again may take, in milliseconds. */
  readonly replayMaxMs: number;
  /** What applying depends on besides the cells and the updates. */
  readonly head: string;
  /** The error for updates with another head: they would be applied otherwise than they were. */
  refusal(stored: string): MillraceError;
}

/** Bytes of the first chunk and, as each is twice the one before, of the largest, unless one update is larger. A bucket is a chunk. */
const CHUNK_BYTES_MIN = 1024;
const CHUNK_BYTES_MAX = 64 * 1024;
/** Before the updates: a word with the tag, and the time that they took, in milliseconds (float32). */
const CHUNK_HEAD = 8;
const WORK_AT = 4;
/** What a store needs for a bucket besides its bytes, for its key and for its deletion: roughly. */
const BUCKET_OVERHEAD = 100;
/** The most buckets of a log: its deletion is one record for each. */
const BUCKETS_MAX = 2_000;

const UNMEASURED: EpochEnd = { busyMs: 0, isLast: false };

/**
 * Declares a log of updates. It must come before the cells that it covers.
 *
 * A snapshot is due when the updates since the last one outweigh the changed buckets, when applying them again would take longer
 * than `replayMaxMs` (they took as long as the step worked meanwhile or, where there is a clock, as applying them took, by samples), and at the
 * end of a run. So what is written is at most
 * about twice the updates, or what it would be without a log, and a restore reads at most the state twice.
 *
 * Memory: the updates of an epoch, at most the size of the buckets that they changed and a chunk of 64 KiB.
 * Errors: `state` for updates that were written with another head, or of which some are missing.
 */
export function updateLogCell(options: UpdateLogOptions): CellSpec<UpdateLogCell> {
  return {
    kind: 'update-log',
    version: 1,
    tags: [tags.updatesHead, tags.updates],
    open: () => new UpdateLog(options),
  };
}

class UpdateLog implements UpdateLogCell {
  private covered: LoggedCells | undefined;
  private readonly restored = new Map<number, Uint8Array>();
  /** Written since the last snapshot: buckets without the head, their bytes, the time that their updates took. */
  private buckets = 0;
  private bytes = 0;
  private workMs = 0;
  /** The share of the limits at which a snapshot is due. */
  private share = 1;
  /** Not written yet: full chunks, and the one in use. */
  private readonly full: UpdateChunk[] = [];
  private fullBytes = 0;
  private chunk = updateChunk(0);
  private isOutgrown = false;
  /** The bytes of this epoch's updates, about. */
  private asked = 0;
  private busySeenMs = 0;
  private updateTime: SampledTime | undefined;
  /** What this epoch writes, and how many of the cells have not been asked for it. */
  private writesSnapshot = true;
  private toAsk = 0;

  constructor(private readonly options: UpdateLogOptions) {}

  get holdsBack(): boolean {
    return this.buckets > 0;
  }

  get lags(): boolean {
    return this.restored.size > 0;
  }

  restore(bucket: number, bytes: Uint8Array): void {
    if (bucket === 0) {
      const head = decode(tags.updatesHead, bytes) as string;
      if (head !== this.options.head) throw this.options.refusal(head);
      return;
    }
    checkTag(tags.updates, bytes);
    this.restored.set(bucket, bytes);
    this.buckets = Math.max(this.buckets, bucket);
    this.bytes += bytes.length + BUCKET_OVERHEAD;
    this.workMs += viewOf(bytes).getFloat32(WORK_AT, true);
  }

  cover(covered: LoggedCells): void {
    if (this.restored.size !== this.buckets) throw unreadable('updates are missing');
    this.covered = covered;
    this.share = 0.5 + hashKey(covered.name) / 2 ** 33;
    for (const cell of covered.cells) {
      const takeChanges = cell.takeChanges.bind(cell);
      cell.takeChanges = (end) => {
        assert(this.toAsk > 0, 'a log of updates is asked before the cells that it covers');
        this.toAsk -= 1;
        return this.writesSnapshot ? takeChanges(end) : [];
      };
    }
  }

  measureBy(nowMs: () => number): void {
    this.updateTime = new SampledTime(nowMs);
  }

  beginUpdate(): void {
    this.updateTime?.begin();
  }

  endUpdate(): void {
    this.updateTime?.end();
  }

  catchUp(): boolean {
    const bucket = this.buckets - this.restored.size + 1;
    const bytes = this.restored.get(bucket);
    if (bytes === undefined || this.covered === undefined) return false;
    this.restored.delete(bucket);
    this.covered.apply({ view: viewOf(bytes), at: CHUNK_HEAD, end: bytes.length });
    return this.lags;
  }

  settle(): void {
    while (this.catchUp());
  }

  room(bytes: number): UpdateChunk | undefined {
    this.asked += bytes;
    if (this.isOutgrown) return undefined;
    if (this.chunk.at + bytes <= this.chunk.end) return this.chunk;
    if (this.chunk.at > CHUNK_HEAD) {
      this.full.push(this.chunk);
      this.fullBytes += this.chunk.at + BUCKET_OVERHEAD;
    }
    if (this.bytes + this.fullBytes > this.changedBytesOfCells) {
      this.isOutgrown = true;
      this.full.length = 0;
      this.chunk.at = CHUNK_HEAD;
      return undefined;
    }
    const twice = Math.min(2 * this.chunk.end, CHUNK_BYTES_MAX);
    this.chunk = updateChunk(Math.max(twice, CHUNK_BYTES_MIN, CHUNK_HEAD + bytes));
    return this.chunk;
  }

  takeChanges({ busyMs, isLast } = UNMEASURED): BucketChange[] {
    const { covered, options, share } = this;
    if (!covered) return [];
    this.settle();
    assert(this.toAsk === 0, 'the cells that a log of updates covers were not asked for their changes');
    this.toAsk = covered.cells.length;
    // A busy model is busy in the next epoch too: its updates would be written into chunks for nothing.
    const outgrowsNext = this.isOutgrown && this.asked > this.changedBytesOfCells;
    this.asked = 0;
    // The step also predicts, which applying updates again does not.
    const workedMs = Math.min(busyMs - this.busySeenMs, this.updateTime?.take() ?? Number.POSITIVE_INFINITY);
    this.busySeenMs = busyMs;
    const chunks = this.takeChunks();
    if (chunks.length === 0 && !this.isOutgrown && !(isLast && this.holdsBack)) {
      this.writesSnapshot = !this.holdsBack;
      return [];
    }
    const before = this.buckets;
    this.buckets += chunks.length;
    this.workMs += workedMs;
    for (const chunk of chunks) this.bytes += chunk.length + BUCKET_OVERHEAD;
    this.writesSnapshot =
      isLast ||
      this.isOutgrown ||
      this.bytes > share * this.changedBytesOfCells ||
      this.workMs > share * options.replayMaxMs ||
      this.buckets > BUCKETS_MAX;
    if (this.writesSnapshot) return this.cut(before, outgrowsNext);
    viewOf(chunks[0] as Uint8Array).setFloat32(WORK_AT, workedMs, true);
    const changes = chunks.map((bytes, i): BucketChange => ({ bucket: before + 1 + i, bytes }));
    return before > 0 ? changes : [{ bucket: 0, bytes: encode(tags.updatesHead, options.head) }, ...changes];
  }

  /** Begins anew; `stored` buckets and the head are deleted. */
  private cut(stored: number, isOutgrown: boolean): BucketChange[] {
    this.buckets = 0;
    this.bytes = 0;
    this.workMs = 0;
    this.share = 1;
    this.isOutgrown = isOutgrown;
    return stored === 0 ? [] : Array.from({ length: stored + 1 }, (_, bucket) => ({ bucket, bytes: null }));
  }

  /** The bytes of the chunks that are not written yet; the one in use is used again. */
  private takeChunks(): Uint8Array[] {
    const used = this.chunk.at > CHUNK_HEAD ? [...this.full, this.chunk] : this.full.slice();
    const taken = used.map(({ view, at }) => new Uint8Array(view.buffer, 0, at));
    if (used.includes(this.chunk)) taken.push((taken.pop() as Uint8Array).slice());
    this.full.length = 0;
    this.fullBytes = 0;
    this.chunk.at = CHUNK_HEAD;
    return taken;
  }

  private get changedBytesOfCells(): number {
    let sum = 0;
    for (const { changedBytes = 0 } of this.covered?.cells ?? []) sum += changedBytes;
    return sum;
  }
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView => new DataView(buffer, byteOffset, length);

/** Room for so many bytes, the head included. */
export function updateChunk(bytes: number): UpdateChunk {
  const buffer = new ArrayBuffer(Math.max((bytes + 3) & ~3, CHUNK_HEAD));
  const view = new DataView(buffer);
  view.setUint8(0, tags.updates);
  return {
    view,
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    numbers: new Float32Array(buffer),
    at: CHUNK_HEAD,
    end: buffer.byteLength,
  };
}
