/** How the numbers of a value are stored apart from the rest of it. */
export interface Packing<V, R = unknown> {
  /** The number of numbers of a value. */
  readonly width: number;
  /** Writes the value's numbers to `into[at..at + width)` and returns the rest of it. */
  pack(value: V, into: Float64Array, at: number): R;
  /** Recreates the value; it may reuse one object. */
  unpack(from: Float64Array, at: number, rest: R): V;
}

/** Rows per block of numbers. */
const ROW_BITS = 6;
const BLOCK_ROWS = 1 << ROW_BITS;

/**
 * Values as rows of numbers in a few large arrays, which cost the garbage collector nothing and keep a value's numbers adjacent. A
 * freed row is reused first, while it is in the cache. Memory: the largest number of rows so far.
 */
export class PackedRows<V, R = unknown> {
  private readonly blocks: Float64Array[] = [];
  private readonly rests: (R | undefined)[] = [];
  private readonly free: number[] = [];

  constructor(private readonly packing: Packing<V, R>) {}

  /** Adds a value and returns its row. */
  put(value: V): number {
    const row = this.freeRow();
    this.rests[row] = this.packing.pack(value, this.blockOf(row), this.offsetOf(row));
    return row;
  }

  get(row: number): V {
    return this.packing.unpack(this.blockOf(row), this.offsetOf(row), this.rests[row] as R);
  }

  drop(row: number): void {
    this.rests[row] = undefined;
    this.free.push(row);
  }

  /** The rests of some rows, and their numbers row after row. */
  copyOf(rows: readonly number[]): { readonly rests: R[]; readonly numbers: Float64Array } {
    const { width } = this.packing;
    const numbers = new Float64Array(rows.length * width);
    let next = 0;
    for (const row of rows) {
      // A loop: for rows of tens of numbers it beats `set` and a view for it.
      const block = this.blockOf(row);
      const end = this.offsetOf(row) + width;
      for (let at = end - width; at < end; at++) numbers[next++] = block[at] as number;
    }
    return { rests: rows.map((row) => this.rests[row] as R), numbers };
  }

  /** Whether a copy of so many rows is valid. */
  fits(rows: number, numbers: Float64Array): boolean {
    return numbers.length === rows * this.packing.width;
  }

  /** Adds a row of a copy and returns its row here. */
  putCopy(rest: R, numbers: Float64Array, index: number): number {
    const { width } = this.packing;
    const row = this.freeRow();
    this.rests[row] = rest;
    this.blockOf(row).set(numbers.subarray(index * width, (index + 1) * width), this.offsetOf(row));
    return row;
  }

  private freeRow(): number {
    const row = this.free.pop() ?? this.rests.length;
    if (row >> ROW_BITS === this.blocks.length) this.blocks.push(new Float64Array(BLOCK_ROWS * this.packing.width));
    return row;
  }

  private blockOf(row: number): Float64Array {
    return this.blocks[row >> ROW_BITS] as Float64Array;
  }

  private offsetOf(row: number): number {
    return (row & (BLOCK_ROWS - 1)) * this.packing.width;
  }
}
