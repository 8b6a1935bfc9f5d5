import { RowBuffer } from '../file/parquet/row-buffer.js';
import type { Part } from '../file/rolling-writer.js';
import type { Row } from '../file/row-encoder.js';
import { type Kept, PIECE_BYTES } from './pieces.js';

/** Stores the rows of an object durably. */
export interface PartWriter {
  /** Resolves when they are durable and their memory can be released; `areLast` if no rows follow. */
  put(rows: Buffer, areLast: boolean): Promise<void>;
  /** The location of all rows. */
  kept(): Promise<Kept>;
  /** No rows follow, and no result is needed. */
  stop(): void;
}

/**
 * Collects the rows of an object and passes them on at the end of an epoch or when there are many. Some are being stored while the
 * next ones are collected.
 *
 * Memory: `PIECE_BYTES` twice, and the writer's.
 */
export class BucketPart implements Part {
  bytes = 0;
  private readonly waiting = new RowBuffer();
  private underWay: Promise<void> = Promise.resolve();

  constructor(private readonly writer: PartWriter) {}

  append(row: Row): void | Promise<void> {
    // A line may have more bytes than characters; the piece gets a little larger then.
    const earlier = this.waiting.bytes + row.length >= PIECE_BYTES ? this.flush() : undefined;
    this.bytes += this.waiting.add(row);
    return earlier;
  }

  async keep(): Promise<Kept> {
    this.flush();
    await this.underWay;
    return this.writer.kept();
  }

  async complete(): Promise<Kept> {
    this.flush(true);
    await this.underWay;
    return this.writer.kept();
  }

  async close(): Promise<void> {
    this.writer.stop();
    await this.underWay.catch(() => undefined); // rows that were not stored are written again
  }

  /** Resolves when earlier rows are stored. */
  private flush(areLast = false): Promise<void> {
    const earlier = this.underWay;
    if (this.waiting.bytes === 0) return earlier;
    const rows = this.waiting.take();
    this.underWay = earlier.then(async () => {
      await this.writer.put(rows, areLast);
      this.waiting.giveBack(rows);
    });
    this.underWay.catch(() => undefined); // the next await reports it
    return earlier;
  }
}
