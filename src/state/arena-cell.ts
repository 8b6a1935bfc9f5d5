import { assert, type BucketChange, type Cell, type CellSpec, MillraceError } from '../core/index.js';
import { checkTag, tags, takeDirty, unreadable } from './codec.js';
import { compactBytesMax, readCompact, writeCompact } from './compact-numbers.js';
import { migrationFor } from './versions.js';

/** Records of numbers, all of one width, that are allocated and freed one by one. Its memory grows with the records in use. */
export interface ArenaCell extends Cell {
  /**
   * The numbers of all records; a record at `at` has `values[at]` to `values[at + width - 1]`. Read it again after `allocate`,
   * which may replace the array. Call `touch` for each record that you wrote.
   */
  readonly values: Float64Array;
  /** Numbers of a record. */
  readonly width: number;
  /** Records in use. */
  readonly used: number;
  readonly isFull: boolean;
  /** Takes the first free record, sets its numbers to 0 and returns where it begins. Throws if the arena is full. */
  allocate(): number;
  /** Gives back the record that begins here. */
  free(at: number): void;
  /** Where the next record in use begins, from `at` on; -1 if there is none. */
  next(at: number): number;
  /** Marks the block of this number's record as changed. */
  touch(index: number): void;
}

/** The shape of the records, and how many there may be. */
export interface ArenaCellOptions {
  readonly version?: number;
  /** Numbers of a record. */
  readonly width: number;
  /** The most records in use. It may be raised later. */
  readonly recordsMax: number;
}

/** Numbers per block, at most, unless a single record has more: with the flags not quite four pages of a store. */
const BLOCK = 2_000;
/** Before the flags of a block: the tag and the width. */
const BLOCK_HEAD = 5;
/** Numbers that there is room for at first: most trees are small. */
const ROOM = 256;

/**
 * Declares a cell of numeric records that grow and are freed, such as the nodes of a tree. A change writes the blocks that were
 * touched: of a block, only the records in use, and of a number no more bytes than it needs (none for 0, 2 for a count below 65,536, 4 for a
 * float32, otherwise 8). No record lies in two blocks.
 *
 * Guarantee: `allocate` follows from the records in use alone, so a restored arena goes on as the one that was stored.
 * Errors: `config` for a width or number that cannot be; `internal` for a record too many; `state` for a checkpoint of another
 * width, of more records or of another version.
 * Memory: 8 bytes a number and 1 byte a record, at most doubled while it grows, and never for more than `recordsMax` records.
 *
 * @example
 * const cells = { nodes: arenaCell({ width: 4, recordsMax: 1_000 }) };
 */
export function arenaCell({ width, recordsMax, version = 1 }: ArenaCellOptions): CellSpec<ArenaCell> {
  if (![width, recordsMax].every((n) => Number.isInteger(n) && n > 0))
    throw new MillraceError('config', `an arena cannot have ${recordsMax} records of ${width} numbers`, {
      hint: 'give it positive integers',
    });
  return { kind: 'arena', version, tags: [tags.arena], open: () => new Arena(width, recordsMax, version) };
}

class Arena implements ArenaCell {
  values = new Float64Array(0);
  used = 0;
  /** By record, whether it is in use; by block, whether it changed. */
  private inUse = new Uint8Array(0);
  private dirty = new Uint8Array(0);
  private dirtyBlocks = 0;
  private readonly perBlock: number;
  /** No record before this one is free. */
  private firstFree = 0;

  constructor(
    readonly width: number,
    private readonly recordsMax: number,
    private readonly version: number,
  ) {
    this.perBlock = Math.max(1, Math.floor(BLOCK / width));
  }

  get isFull(): boolean {
    return this.used >= this.recordsMax;
  }

  allocate(): number {
    assert(!this.isFull, `the arena has ${this.recordsMax} records at most`);
    const free = this.inUse.indexOf(0, this.firstFree);
    const record = free < 0 ? this.inUse.length : free;
    this.growTo(record + 1);
    this.inUse[record] = 1;
    this.firstFree = record + 1;
    this.used++;
    const at = record * this.width;
    this.values.fill(0, at, at + this.width);
    this.touch(at);
    return at;
  }

  free(at: number): void {
    const record = at / this.width;
    assert(this.inUse[record] === 1, 'a record in use');
    this.inUse[record] = 0;
    this.firstFree = Math.min(this.firstFree, record);
    this.used--;
    this.touch(at);
  }

  next(at: number): number {
    const record = this.inUse.indexOf(1, Math.ceil(at / this.width));
    return record < 0 ? -1 : record * this.width;
  }

  touch(index: number): void {
    const block = (index / (this.perBlock * this.width)) | 0;
    if (this.dirty[block] === 1) return;
    this.dirty[block] = 1;
    this.dirtyBlocks += 1;
  }

  /** As if all records of a changed block were in use, and each number needed 8 bytes. */
  get changedBytes(): number {
    return this.dirtyBlocks * this.blockBytes(Math.min(this.perBlock, this.inUse.length));
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    checkTag(tags.arena, bytes);
    const { perBlock, width } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const first = bucket * perBlock;
    const flags = bytes.subarray(BLOCK_HEAD, BLOCK_HEAD + perBlock);
    const isFitting = bytes.length >= BLOCK_HEAD + perBlock && view.getUint32(1, true) === width;
    const end = first + flags.lastIndexOf(1) + 1;
    if (!isFitting || end > this.recordsMax) throw this.unfit();
    this.growTo(end);
    let from = BLOCK_HEAD + perBlock;
    eachRun(flags, (start, end) => {
      from = this.readRun(view, from, first + start, first + end);
    });
    if (from !== bytes.length) throw this.unfit();
  }

  private readRun(view: DataView, from: number, start: number, end: number): number {
    this.inUse.fill(1, start, end);
    this.used += end - start;
    try {
      return readCompact(view, from, this.values, start * this.width, end * this.width);
    } catch {
      throw this.unfit(); // there are fewer bytes
    }
  }

  takeChanges(): BucketChange[] {
    const room = new Uint8Array(this.dirtyBlocks > 0 ? this.blockBytes(this.perBlock) : 0);
    this.dirtyBlocks = 0;
    return takeDirty(this.dirty, (bucket) => this.bytesOf(bucket, room));
  }

  /** By `room` as scratch: the width, which records are in use, one byte each, then their numbers; nothing for a block without any. */
  private bytesOf(bucket: number, room: Uint8Array): Uint8Array | null {
    const { perBlock, width } = this;
    const first = bucket * perBlock;
    const flags = this.inUse.subarray(first, first + perBlock);
    if (flags.indexOf(1) < 0) return null;
    const view = new DataView(room.buffer);
    view.setUint8(0, tags.arena);
    view.setUint32(1, width, true);
    room.fill(0, BLOCK_HEAD, BLOCK_HEAD + perBlock);
    room.set(flags, BLOCK_HEAD);
    let to = BLOCK_HEAD + perBlock;
    eachRun(flags, (start, end) => {
      to = writeCompact(this.values, (first + start) * width, (first + end) * width, view, to);
    });
    return room.slice(0, to);
  }

  /** Bytes of a block with so many records, at most. */
  private blockBytes(records: number): number {
    // Each run of records may begin with a byte of codes that it does not fill.
    return BLOCK_HEAD + this.perBlock + records * compactBytesMax(this.width);
  }

  private unfit(): MillraceError {
    return unreadable(`the arena has ${this.recordsMax} records of ${this.width} numbers at most`);
  }

  /** Makes room for so many records, twice as much as there was. */
  private growTo(records: number): void {
    const had = this.inUse.length;
    if (records <= had) return;
    const room = Math.min(this.recordsMax, Math.max(records, 2 * had, Math.floor(ROOM / this.width)));
    const [values, inUse, dirty] = [this.values, this.inUse, this.dirty];
    this.values = new Float64Array(room * this.width);
    this.values.set(values);
    this.inUse = new Uint8Array(room);
    this.inUse.set(inUse);
    this.dirty = new Uint8Array(Math.ceil(room / this.perBlock));
    this.dirty.set(dirty);
  }
}

/** Calls `use` with the beginning and the end of each row of neighbouring flags that are 1. */
function eachRun(flags: Uint8Array, use: (start: number, end: number) => void): void {
  for (let start = flags.indexOf(1); start >= 0; ) {
    const next = flags.indexOf(0, start);
    const end = next < 0 ? flags.length : next;
    use(start, end);
    start = flags.indexOf(1, end);
  }
}
