/** How the numbers of a value lie side by side, apart from the rest of it. */
export interface Packing<V, R = unknown> {
  /** How many numbers a value has. */
  readonly width: number;
  /** Writes the value's numbers at `into[at..at + width)` and returns the rest of it. */
  pack(value: V, into: Float64Array, at: number): R;
  /** The value again; it may be one object used over and over. */
  unpack(from: Float64Array, at: number, rest: R): V;
}

/** Rows in a block of numbers. */
const ROW_BITS = 6;
const BLOCK_ROWS = 1 << ROW_BITS;

/**
 * Values as rows of numbers in a few large arrays: a collector has nothing to do with them, and what belongs together
 * lies together. A row that became free is used again first, while it is still in the cache. Memory: as many rows as
 * there ever were at once.
 */
export class PackedRows<V, R = unknown> {
  private readonly blocks: Float64Array[] = [];
  private readonly rests: (R | undefined)[] = [];
  private readonly free: number[] = [];

  constructor(private readonly packing: Packing<V, R>) {}

  /** Takes in a value and returns its row. */
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

  /** The rests of some rows, and their numbers one row after another. */
  copyOf(rows: readonly number[]): { readonly rests: R[]; readonly numbers: Float64Array } {
    const { width } = this.packing;
    const numbers = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      const at = this.offsetOf(row);
      numbers.set(this.blockOf(row).subarray(at, at + width), i * width);
    });
    return { rests: rows.map((row) => this.rests[row] as R), numbers };
  }

  /** Whether a copy of so many rows can be taken in. */
  fits(rows: number, numbers: Float64Array): boolean {
    return numbers.length === rows * this.packing.width;
  }

  /** Takes in a row of a copy and returns its row here. */
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
