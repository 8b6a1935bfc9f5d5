import type { LazyJson } from '../../src/core/record.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

/** A line without its end, and the position of the next line, in bytes from the start. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly next: number;
  /** Replaces `bytes` for a row without bytes; `bytes` then creates them. */
  readonly json?: LazyJson | undefined;
}

/** How many there are, without making those of a row that has none. */
export const lineBytes = (line: Line): number => line.json?.bytesMax ?? line.bytes.length;

export interface LineOptions {
  /** The position of the first byte. */
  readonly at: number;
  /** Line ends within quotes belong to the row, as in CSV. */
  readonly quoted: boolean;
  /** The length at which a line is cut, so that one line cannot fill the memory; the rest of it is skipped. */
  readonly bytesMax: number;
}

/**
 * Splits bytes into lines, whatever the pieces. Empty lines are skipped.
 *
 * Memory: the incomplete line, at most `bytesMax`, and one piece.
 *
 * @example
 * const lines = new Lines({ at: 0, quoted: false, bytesMax: 1_000_000 });
 * lines.push(piece); // the lines that end in it
 * lines.end(); // the last one, where it has no line end
 */
export class Lines {
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private inQuotes = false;
  /** The position of the next byte. */
  private at: number;

  constructor(private readonly options: LineOptions) {
    this.at = options.at;
  }

  push(piece: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = this.lineEnd(piece, 0); end >= 0; end = this.lineEnd(piece, from)) {
      const next = this.at + end + 1;
      const bytes = this.take(piece.subarray(from, end));
      if (bytes.length > 0) lines.push({ bytes, next });
      from = end + 1;
    }
    if (from < piece.length) this.keep(piece.subarray(from));
    this.at += piece.length;
    return lines;
  }

  /** The last line, if it has no line end. */
  end(): Line | undefined {
    const bytes = this.take(new Uint8Array(0));
    return bytes.length > 0 ? { bytes, next: this.at } : undefined;
  }

  /** The next line end outside of quotes, from `from`; -1 if there is none in this piece. */
  private lineEnd(piece: Uint8Array, from: number): number {
    if (!this.options.quoted) return piece.indexOf(LINE_FEED, from);
    for (let start = from; ; ) {
      const found = piece.indexOf(LINE_FEED, start);
      const end = found < 0 ? piece.length : found;
      for (
        let quote = piece.indexOf(QUOTE, start);
        quote >= 0 && quote < end;
        quote = piece.indexOf(QUOTE, quote + 1)
      ) {
        this.inQuotes = !this.inQuotes;
      }
      if (found < 0 || !this.inQuotes) return found;
      start = found + 1;
    }
  }

  private keep(bytes: Uint8Array): void {
    const room = this.options.bytesMax - this.pendingBytes;
    if (room <= 0) return;
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.pending.push(kept);
    this.pendingBytes += kept.length;
  }

  private take(last: Uint8Array): Uint8Array {
    let line = last;
    if (this.pending.length > 0) {
      this.keep(last);
      line = Buffer.concat(this.pending);
      this.pending = [];
      this.pendingBytes = 0;
    } else if (last.length > this.options.bytesMax) line = last.subarray(0, this.options.bytesMax);
    return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  }
}
