import type { PartWriter } from './bucket-part.js';
import type { ParquetUpload } from './parquet-upload.js';
import type { Kept, Pieces, Run } from './pieces.js';

/**
 * Packed rows as pieces. Where an object is being made of them, it is given each piece as soon as that is safe.
 *
 * Memory: what the pieces and the object have.
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

  /** Bodies that need not be in memory any more. */
  private async *used(runs: readonly Run[]): AsyncGenerator<Uint8Array> {
    yield* this.pieces.bodiesOf(runs);
    this.pieces.forget(runs);
  }
}
