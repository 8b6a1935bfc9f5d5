import type { End, RowKeeper } from './bucket-part.js';
import type { ParquetUpload } from './parquet-upload.js';
import type { Kept, Pieces, Run } from './pieces.js';

/**
 * Packed rows as pieces. Where an object is being made of them, it is given each row group as soon as all of its rows are there.
 *
 * Memory: what the pieces and the object have.
 */
export class PackedKeeper implements RowKeeper {
  /** Since a row group was complete. */
  private waiting: Run[] = [];

  constructor(
    private readonly pieces: Pieces,
    private readonly object: ParquetUpload | undefined,
  ) {}

  async put(rows: Buffer, end: End): Promise<void> {
    this.waiting.push(await this.pieces.put(rows));
    if (end !== 'group') return;
    const group = this.waiting;
    this.waiting = [];
    this.object?.add(this.used(group));
  }

  /** The last rows, which no row group has that was complete. */
  rest(): AsyncIterable<Uint8Array> {
    return this.pieces.bodiesOf(this.waiting);
  }

  /** Bodies that need not be in memory any more. */
  private async *used(group: readonly Run[]): AsyncGenerator<Uint8Array> {
    yield* this.pieces.bodiesOf(group);
    this.pieces.forget(group);
  }

  async kept(): Promise<Kept> {
    const { runs, bytes } = this.pieces;
    return { runs, bytes, merged: [] };
  }

  stop(): void {
    this.object?.stop();
  }
}
