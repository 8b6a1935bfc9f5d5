import { type BucketChange, type Cell, type CellSpec, MillraceError } from '../core/index.js';
import { decode, encode, tags, takeDirty, unreadable } from './codec.js';
import { migrationFor } from './versions.js';

/** The last `length` values, oldest first. */
export interface RingCell<T> extends Cell {
  /** Adds a value and returns the one that it replaced, if the ring was full. */
  push(value: T): T | undefined;
  /** The value at `index`, counted from the oldest. */
  at(index: number): T | undefined;
  /** Writes all values to the front of an array, in any order. */
  copyTo(into: { [index: number]: T }): void;
  readonly size: number;
}

/** The size of a ring. */
export interface RingCellOptions {
  readonly version?: number;
  /** The most values. */
  readonly length: number;
}

/** Values per bucket: a push writes one bucket, not the whole ring. */
const BLOCK = 64;

/**
 * Declares a cell that keeps the last `length` values.
 *
 * @example
 * const cells = { delays: ringCell<number>({ length: 1001 }) };
 *
 * Errors: `config` for a length that cannot be, `state` for a checkpoint of another length or version. Memory: `length` values.
 */
export function ringCell<T>({ length, version = 1 }: RingCellOptions): CellSpec<RingCell<T>> {
  if (!Number.isInteger(length) || length < 1)
    throw new MillraceError('config', `a ring cannot have length ${length}`, { hint: 'give it a positive integer' });
  return { kind: 'ring', version, tags: [tags.ring], open: () => new Ring<T>(length, version) };
}

/**
 * A bucket: the ring's length, the number of values pushed when its last one was (the greatest of these is the whole ring's), and
 * its slots. All of it follows from the values alone, whenever checkpoints were taken.
 */
type Bytes<T> = readonly [length: number, pushed: number, slots: readonly T[]];

class Ring<T> implements RingCell<T> {
  private readonly slots: T[] = [];
  private readonly dirty: Uint8Array;
  private pushed = 0;

  constructor(
    private readonly length: number,
    private readonly version: number,
  ) {
    this.dirty = new Uint8Array(Math.ceil(length / BLOCK));
  }

  get size(): number {
    return Math.min(this.pushed, this.length);
  }

  push(value: T): T | undefined {
    const slot = this.pushed % this.length;
    const old = this.pushed < this.length ? undefined : this.slots[slot];
    this.slots[slot] = value;
    this.dirty[(slot / BLOCK) | 0] = 1;
    this.pushed++;
    return old;
  }

  at(index: number): T | undefined {
    if (index < 0 || index >= this.size) return undefined;
    const oldest = this.pushed <= this.length ? 0 : this.pushed;
    return this.slots[(oldest + index) % this.length];
  }

  copyTo(into: { [index: number]: T }): void {
    const { slots, size } = this;
    for (let i = 0; i < size; i++) into[i] = slots[i] as T;
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    const [length, pushed, slots] = decode(tags.ring, bytes) as Bytes<T>;
    if (length !== this.length) throw unreadable(`a ring of length ${length}, not ${this.length}`);
    this.pushed = Math.max(this.pushed, pushed);
    for (let i = 0; i < slots.length; i++) this.slots[bucket * BLOCK + i] = slots[i] as T;
  }

  takeChanges(): BucketChange[] {
    return takeDirty(this.dirty, (bucket) => {
      const slots = this.slots.slice(bucket * BLOCK, (bucket + 1) * BLOCK);
      return encode(tags.ring, [this.length, this.pushedUpTo(bucket), slots] satisfies Bytes<T>);
    });
  }

  /** The number of values pushed when the newest one of this bucket was. */
  private pushedUpTo(bucket: number): number {
    const slot = (this.pushed - 1) % this.length;
    if (Math.floor(slot / BLOCK) === bucket) return this.pushed;
    const end = Math.min((bucket + 1) * BLOCK, this.length) - 1; // it has been filled to its end since
    return this.pushed - ((slot - end + this.length) % this.length);
  }
}
