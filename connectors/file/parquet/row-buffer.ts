import type { Row } from '../row-encoder.js';

const BLOCK_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);
const LINE_END = 0x0a;
/** The most UTF-8 bytes of a UTF-16 code unit. */
const UTF8_MAX = 3;

/**
 * Rows that wait to be written, in one block. Thousands of small buffers, or a new block for each piece, would keep the garbage
 * collector busy.
 *
 * Memory: twice the largest content, and as much for a returned block.
 */
export class RowBuffer {
  bytes = 0;
  private block: Buffer = NOTHING;
  private spare: Buffer = NOTHING;

  /** Adds a row, a line with its end; returns its size. */
  add(row: Row): number {
    const before = this.bytes;
    if (typeof row === 'string') this.addLine(row);
    else this.addBytes(row);
    return this.bytes - before;
  }

  private addBytes(row: Uint8Array): void {
    const end = this.bytes + row.length;
    if (end > this.block.length) this.grow(end);
    this.block.set(row, this.bytes);
    this.bytes = end;
  }

  /** Writes the line into the block, because a separate buffer would double the cost. */
  private addLine(line: string): void {
    if (this.bytes + UTF8_MAX * line.length + 1 > this.block.length) {
      const end = this.bytes + Buffer.byteLength(line) + 1;
      if (end > this.block.length) this.grow(end);
    }
    const { block } = this;
    let end = this.bytes + block.write(line, this.bytes);
    if (line.length === 0 || block[end - 1] !== LINE_END) block[end++] = LINE_END;
    this.bytes = end;
  }

  /** Returns all rows and empties the buffer. */
  take(): Buffer {
    const all = this.block.subarray(0, this.bytes);
    this.block = this.spare;
    this.spare = NOTHING;
    this.bytes = 0;
    return all;
  }

  /** Returns a block for reuse. */
  giveBack(taken: Buffer): void {
    this.spare = Buffer.from(taken.buffer);
  }

  private grow(bytes: number): void {
    const block = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.block.length, BLOCK_BYTES));
    this.block.copy(block, 0, 0, this.bytes);
    this.block = block;
  }
}
