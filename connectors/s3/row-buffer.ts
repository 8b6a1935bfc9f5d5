const BLOCK_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Rows that wait to be put, one after another in one block: thousands of small buffers, or a new block for each piece, would
 * keep the collector busy.
 *
 * Memory: twice the bytes that it has held at a time, and as much for a block that was given back.
 */
export class RowBuffer {
  bytes = 0;
  private block: Buffer = NOTHING;
  private spare: Buffer = NOTHING;

  add(row: Uint8Array): void {
    const end = this.bytes + row.length;
    if (end > this.block.length) this.grow(end);
    this.block.set(row, this.bytes);
    this.bytes = end;
  }

  /** All of them; it is empty then. */
  take(): Buffer {
    const all = this.block.subarray(0, this.bytes);
    this.block = this.spare;
    this.spare = NOTHING;
    this.bytes = 0;
    return all;
  }

  /** Nobody needs what was taken any more: rows may be written over it. */
  giveBack(taken: Buffer): void {
    this.spare = Buffer.from(taken.buffer);
  }

  private grow(bytes: number): void {
    const block = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.block.length, BLOCK_BYTES));
    this.block.copy(block, 0, 0, this.bytes);
    this.block = block;
  }
}
