import { RowBuffer } from '../file/parquet/row-buffer.js';
import type { Part } from '../file/rolling-writer.js';
import type { Row } from '../file/row-encoder.js';
import { type Kept, PIECE_BYTES } from './pieces.js';

/** Who puts the rows of an object somewhere safe. */
export interface PartWriter {
  /** Resolves when they are safe, and their memory is not needed any more; `areLast` where no rows follow. */
  put(rows: Buffer, areLast: boolean): Promise<void>;
  /** Where all of them are. */
  kept(): Promise<Kept>;
  /** Nothing follows, and nobody waits. */
  stop(): void;
}

/**
 * Rows of an object on their way: handed over when an epoch ends, and where they are many. Some are under way
 * while the next ones gather.
 *
 * Memory: `PIECE_BYTES` twice, and what the keeper has.
 */
export class BucketPart implements Part {
  bytes = 0;
  private readonly waiting = new RowBuffer();
  private underWay: Promise<void> = Promise.resolve();

  constructor(private readonly keeper: PartWriter) {}

  append(row: Row): void | Promise<void> {
    // A line may have more bytes than its length says, and makes the piece a little larger then.
    const earlier = this.waiting.bytes + row.length >= PIECE_BYTES ? this.flush() : undefined;
    this.bytes += this.waiting.add(row);
    return earlier;
  }

  async keep(): Promise<Kept> {
    this.flush();
    await this.underWay;
    return this.keeper.kept();
  }

  async complete(): Promise<Kept> {
    this.flush(true);
    await this.underWay;
    return this.keeper.kept();
  }

  async close(): Promise<void> {
    this.keeper.stop();
    await this.underWay.catch(() => undefined); // what was not kept is written again
  }

  /** Resolves when what was under way before is safe. */
  private flush(areLast = false): Promise<void> {
    const earlier = this.underWay;
    if (this.waiting.bytes === 0) return earlier;
    const rows = this.waiting.take();
    this.underWay = earlier.then(async () => {
      await this.keeper.put(rows, areLast);
      this.waiting.giveBack(rows);
    });
    this.underWay.catch(() => undefined); // whoever awaits it is told
    return earlier;
  }
}
