import type { Part } from '../file/rolling-writer.js';
import { type Kept, PIECE_BYTES } from './pieces.js';
import { RowBuffer } from './row-buffer.js';

/** Who puts the rows of an object somewhere safe. */
export interface RowKeeper {
  /** Resolves when they are safe, and their memory is not needed any more; `endsGroup` where they are the last ones of a row group. */
  put(rows: Buffer, endsGroup: boolean): Promise<void>;
  /** Where all of them are. */
  kept(): Promise<Kept>;
  /** Nothing follows, and nobody waits. */
  stop(): void;
}

/**
 * Rows of an object on their way: handed over when an epoch or a row group ends, and where they are many. Some are under way
 * while the next ones gather.
 *
 * Memory: `PIECE_BYTES` twice, and what the keeper has.
 */
export class BucketPart implements Part {
  private readonly waiting = new RowBuffer();
  private underWay: Promise<void> = Promise.resolve();
  private rows = 0;

  constructor(
    private readonly keeper: RowKeeper,
    private readonly groupRows = Number.POSITIVE_INFINITY,
  ) {}

  append(row: Uint8Array): void | Promise<void> {
    this.waiting.add(row);
    this.rows += 1;
    const endsGroup = this.rows === this.groupRows;
    if (!endsGroup && this.waiting.bytes < PIECE_BYTES) return;
    if (endsGroup) this.rows = 0;
    const earlier = this.underWay;
    this.flush(endsGroup);
    return earlier;
  }

  async keep(): Promise<Kept> {
    this.flush(false);
    await this.underWay;
    return this.keeper.kept();
  }

  complete(): Promise<Kept> {
    return this.keep();
  }

  async close(): Promise<void> {
    this.keeper.stop();
    await this.underWay.catch(() => undefined); // what was not kept is written again
  }

  private flush(endsGroup: boolean): void {
    if (this.waiting.bytes === 0) return;
    const rows = this.waiting.take();
    this.underWay = this.underWay.then(async () => {
      await this.keeper.put(rows, endsGroup);
      this.waiting.giveBack(rows);
    });
    this.underWay.catch(() => undefined); // whoever awaits it is told
  }
}
