import type { Row } from '../row-encoder.js';

const BLOCK_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);
const LINE_END = 0x0a;
/** Bytes of UTF-8 that a unit of a text has at most. */
const UTF8_MAX = 3;

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

  /** Adds a row, a line with its end; how many bytes that were. */
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

  /** Written where it is to be: bytes of its own would cost as much again. */
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
