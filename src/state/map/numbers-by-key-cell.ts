import { type BucketChange, type Cell, type CellSpec, MillraceError } from '../../core/index.js';
import { checkTag, tags, takeDirty, unreadable } from '../codec.js';
import { migrationFor } from '../versions.js';
import { KeyIndex } from './key-index.js';
import { keyBytesMax, keyEnd, readKey, writeKey } from './packed-key.js';
import { UseOrder } from './use-order.js';

/** As many numbers for each key; the least recently used key makes room for a new one. */
export interface NumbersByKeyCell<K extends string | number> extends Cell {
  /** The numbers of all keys. Read it again after `use`, which may replace the array. */
  readonly values: Float64Array;
  readonly size: number;
  /** Keys that made room for others since the cell was opened. */
  readonly evicted: number;
  /** Where the numbers of a key begin in `values`; -1 if there are none. It changes nothing, not even what is least recently used. */
  find(key: K): number;
  /** Where the numbers of a key begin, for writing: 0 for a new key. It is now the most recently used. */
  use(key: K): number;
}

/** How many numbers a key has, and how many keys there may be. */
export interface NumbersByKeyCellOptions {
  readonly version?: number;
  /** Numbers of a key. */
  readonly width: number;
  /** The most keys. It may be raised later. */
  readonly entriesMax: number;
}

/** Numbers per block, at most, unless a single key has more. */
const BLOCK = 512;
/** Before the numbers of a key: when it was used, as a count of uses. */
const HEAD = 1;

/**
 * Declares a cell with as many numbers for each key, such as a small model. A change writes the blocks of the keys that were used:
 * when each was used last, its numbers (8 bytes each) and the keys.
 *
 * Guarantee: which key is evicted follows from the uses alone, so a restored cell goes on as the one that was stored.
 * Errors: `config` for a width or number that cannot be; `state` for a checkpoint of another width, of more keys or of another version.
 * Memory: 8 bytes a number and 16 bytes a key, at most doubled while it grows, and the keys with their index. A restore copies the
 * numbers; keys are read at the first use.
 *
 * @example
 * const cells = { models: numbersByKeyCell<string>({ width: 12, entriesMax: 100_000 }) };
 */
export function numbersByKeyCell<K extends string | number>({
  width,
  entriesMax,
  version = 1,
}: NumbersByKeyCellOptions): CellSpec<NumbersByKeyCell<K>> {
  if (![width, entriesMax].every((n) => Number.isInteger(n) && n > 0))
    throw new MillraceError('config', `there cannot be ${entriesMax} keys of ${width} numbers`, {
      hint: 'give it positive integers',
    });
  return {
    kind: 'numbers-by-key',
    version,
    tags: [tags.numbersByKey],
    open: () => new NumbersByKey<K>(width, entriesMax, version),
  };
}

class NumbersByKey<K extends string | number> implements NumbersByKeyCell<K> {
  values = new Float64Array(0);
  evicted = 0;
  private readonly stride: number;
  private readonly perBlock: number;
  /** The key of each record, and the record of each key. */
  private readonly keys: K[] = [];
  private readonly index = new KeyIndex<K>();
  private readonly order = new UseOrder();
  private uses = 0;
  private dirty = new Uint8Array(0);
  private dirtyBlocks = 0;
  private frozen: Map<number, Uint8Array> | undefined;
  /** The key that was sought last and its record: whoever writes the numbers of a key has just looked for them. */
  private lastKey: K | undefined;
  private lastRecord = -1;

  constructor(
    private readonly width: number,
    private readonly entriesMax: number,
    private readonly version: number,
  ) {
    this.stride = HEAD + width;
    this.perBlock = Math.max(1, Math.floor(BLOCK / this.stride));
  }

  get size(): number {
    if (this.frozen) this.thaw(this.frozen);
    return this.keys.length;
  }

  get changedBytes(): number {
    return this.dirtyBlocks * this.numbersEnd(this.perBlock);
  }

  find(key: K): number {
    const record = this.recordOf(key);
    return record < 0 ? -1 : record * this.stride + HEAD;
  }

  use(key: K): number {
    const found = this.recordOf(key);
    const record = found >= 0 ? found : this.recordFor(key);
    this.order.use(record);
    const at = record * this.stride;
    this.values[at] = ++this.uses;
    this.touch(record);
    return at + HEAD;
  }

  /** The least recently used first, as they were used here. */
  spread(cellOf: (key: string | number) => NumbersByKey<K>): void {
    if (this.frozen) this.thaw(this.frozen);
    for (const record of this.byUse()) {
      const key = this.keys[record] as K;
      const cell = cellOf(key);
      const at = cell.use(key);
      cell.values.set(this.values.subarray(record * this.stride + HEAD, (record + 1) * this.stride), at);
    }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    checkTag(tags.numbersByKey, bytes);
    const count = countIn(bytes);
    let end = this.numbersEnd(count);
    for (let i = 0; i < count && end < bytes.length; i++) end = keyEnd(bytes, end);
    if (end !== bytes.length || count > this.perBlock || bucket * this.perBlock + count > this.entriesMax)
      throw unreadable(`the cell has ${this.entriesMax} keys of ${this.width} numbers at most`);
    this.frozen ??= new Map();
    this.frozen.set(bucket, bytes);
  }

  takeChanges(): BucketChange[] {
    this.dirtyBlocks = 0;
    return takeDirty(this.dirty, (bucket) => this.bytesOf(bucket));
  }

  /** The record of a key, or -1. */
  private recordOf(key: K): number {
    if (this.frozen) this.thaw(this.frozen);
    if (key !== this.lastKey) {
      this.lastKey = key;
      this.lastRecord = this.index.get(key);
    }
    return this.lastRecord;
  }

  /** A record for a new key: the next one, or that of the least recently used key. */
  private recordFor(key: K): number {
    const isFull = this.keys.length >= this.entriesMax;
    const record = isFull ? this.order.oldest : this.keys.length;
    if (isFull) {
      this.index.delete(this.keys[record] as K);
      this.evicted++;
      this.values.fill(0, record * this.stride, (record + 1) * this.stride);
    } else this.growTo(record + 1);
    this.keys[record] = key;
    this.index.set(key, record);
    this.lastKey = key;
    this.lastRecord = record;
    return record;
  }

  private touch(record: number): void {
    const block = Math.floor(record / this.perBlock);
    if (this.dirty[block] === 1) return;
    this.dirty[block] = 1;
    this.dirtyBlocks++;
  }

  /** Makes room for so many records, twice as much as there was. */
  private growTo(records: number): void {
    const had = this.values.length / this.stride;
    if (records <= had) return;
    const room = Math.min(this.entriesMax, Math.max(records, 2 * had, this.perBlock));
    const { values, dirty } = this;
    this.values = new Float64Array(room * this.stride);
    this.values.set(values);
    this.dirty = new Uint8Array(Math.ceil(room / this.perBlock));
    this.dirty.set(dirty);
    this.order.growTo(room);
  }

  /** Where the numbers of so many records end in their bucket, and the keys begin. */
  private numbersEnd(records: number): number {
    return NUMBERS_AT + 8 * records * this.stride;
  }

  private bytesOf(bucket: number): Uint8Array {
    const first = bucket * this.perBlock;
    const keys = this.keys.slice(first, first + this.perBlock);
    const keysAt = this.numbersEnd(keys.length);
    const bytes = new Uint8Array(keys.reduce((room, key) => room + keyBytesMax(key), keysAt));
    bytes[0] = tags.numbersByKey;
    bytes[1] = keys.length & 0xff;
    bytes[2] = keys.length >>> 8;
    bytes.set(new Uint8Array(this.values.buffer, 8 * first * this.stride, keysAt - NUMBERS_AT), NUMBERS_AT);
    return bytes.slice(
      0,
      keys.reduce((at, key) => writeKey(bytes, at, key), keysAt),
    );
  }

  private thaw(frozen: ReadonlyMap<number, Uint8Array>): void {
    this.frozen = undefined;
    for (const [bucket, bytes] of [...frozen].sort(([a], [b]) => a - b)) {
      const first = bucket * this.perBlock;
      if (first !== this.keys.length) throw unreadable('a block of keys is missing');
      const count = countIn(bytes);
      this.growTo(first + count);
      let at = this.numbersEnd(count);
      new Uint8Array(this.values.buffer, 8 * first * this.stride).set(bytes.subarray(NUMBERS_AT, at));
      for (let i = 0; i < count; i++, at = keyEnd(bytes, at)) {
        const key = readKey(bytes, at) as K;
        this.keys.push(key);
        this.index.set(key, first + i);
      }
    }
    for (const record of this.byUse()) {
      this.order.use(record);
      this.uses = this.usedAt(record);
    }
  }

  private usedAt(record: number): number {
    return this.values[record * this.stride] as number;
  }

  /** The records, the least recently used first. */
  private byUse(): number[] {
    return [...this.keys.keys()].sort((a, b) => this.usedAt(a) - this.usedAt(b));
  }
}

// A bucket: the tag, the number of records (16 bits), their numbers as in memory (little-endian, as all machines of Node), the keys.
const NUMBERS_AT = 3;

const countIn = (bytes: Uint8Array): number => (bytes[1] as number) | ((bytes[2] as number) << 8);
