import type { PartWriter } from './bucket-part.js';
import type { ParquetUpload } from './parquet-upload.js';
import type { Kept, Pieces, Run } from './pieces.js';

/**
 * Stores packed rows as pieces. If their object is being made, it gets each piece as soon as the piece is durable.
 *
 * Memory: that of the pieces and the object.
 */
export class PackedPartWriter implements PartWriter {
  constructor(
    private readonly pieces: Pieces,
    private readonly object: ParquetUpload | undefined,
  ) {}

  async put(rows: Buffer): Promise<void> {
    const piece = await this.pieces.put(rows);
    this.object?.add(this.used([piece]));
  }

  async kept(): Promise<Kept> {
    const { runs, bytes } = this.pieces;
    return { runs, bytes, merged: [] };
  }

  stop(): void {
    this.object?.stop();
  }

  /** Pieces, whose memory is released after use. */
  private async *used(runs: readonly Run[]): AsyncGenerator<Uint8Array> {
    yield* this.pieces.bodiesOf(runs);
    this.pieces.forget(runs);
  }
}
