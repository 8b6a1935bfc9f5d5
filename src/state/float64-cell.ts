import { assert, type BucketChange, type Cell, type CellSpec, MillraceError } from '../core/index.js';
import { checkTag, tags, takeDirty, unreadable } from './codec.js';
import { migrationFor } from './versions.js';

/** A fixed-size array of numbers. Write to `values` and call `touch` for each index that you wrote. */
export interface Float64Cell extends Cell {
  readonly values: Float64Array;
  /** Marks the block of this index as changed; it writes one byte. */
  touch(index: number): void;
}

/** The size of the array, and how it is stored. */
export interface Float64CellOptions {
  readonly version?: number;
  /** The number of numbers, initially 0. */
  readonly size: number;
  /** Numbers per block, the unit of the changelog: a power of two, 256 by default. */
  readonly block?: number;
}

/**
 * Declares a cell of raw numbers, such as a model's weights. A change writes the blocks that were touched, 8 bytes a
 * number, little-endian; every bit is kept, the sign of -0 too.
 *
 * @example
 * const cells = { weights: float64Cell({ size: 1 << 18 }) };
 *
 * Errors: `config` for a size or block that cannot be, `state` for a checkpoint of another size or version.
 * Memory: 8 bytes a number and one byte a block.
 */
export function float64Cell({ size, block = 256, version = 1 }: Float64CellOptions): CellSpec<Float64Cell> {
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(Math.log2(block)))
    throw new MillraceError('config', `a float64 cell cannot have size ${size} and block ${block}`, {
      hint: 'the size must be a positive integer, the block a power of two',
    });
  return { kind: 'float64', version, tags: [tags.float64], open: () => new Float64Blocks(size, block, version) };
}

class Float64Blocks implements Float64Cell {
  readonly values: Float64Array;
  private readonly dirty: Uint8Array;
  private readonly shift: number;
  private dirtyBlocks = 0;

  constructor(
    size: number,
    private readonly block: number,
    private readonly version: number,
  ) {
    this.values = new Float64Array(size);
    this.dirty = new Uint8Array(Math.ceil(size / block));
    this.shift = Math.log2(block);
  }

  touch(index: number): void {
    const block = index >>> this.shift;
    if (this.dirty[block] === 1) return;
    this.dirty[block] = 1;
    this.dirtyBlocks += 1;
  }

  get changedBytes(): number {
    return this.dirtyBlocks * (1 + 8 * Math.min(this.block, this.values.length));
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    checkTag(tags.float64, bytes);
    const start = bucket * this.block;
    const length = this.lengthOf(bucket);
    if (length <= 0 || bytes.length !== 1 + 8 * length)
      throw unreadable(`the cell has ${this.values.length} numbers in blocks of ${this.block}`);
    new Uint8Array(this.values.buffer, 8 * start).set(bytes.subarray(1));
  }

  takeChanges(): BucketChange[] {
    this.dirtyBlocks = 0;
    return takeDirty(this.dirty, (bucket) => this.bytesOf(bucket));
  }

  private bytesOf(bucket: number): Uint8Array {
    const start = bucket * this.block;
    const length = this.lengthOf(bucket);
    assert(length > 0, 'a block inside the array');
    const bytes = new Uint8Array(1 + 8 * length);
    bytes[0] = tags.float64;
    bytes.set(new Uint8Array(this.values.buffer, 8 * start, 8 * length), 1); // as in memory: all machines of Node are little-endian
    return bytes;
  }

  private lengthOf(bucket: number): number {
    return Math.min(this.block, this.values.length - bucket * this.block);
  }
}
