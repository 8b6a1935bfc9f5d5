import type { Compress } from '../file/compress.js';
import type { Buckets } from './bucket.js';
import type { PartWriter } from './bucket-part.js';
import { type Kept, PART_BYTES_MIN, type Pieces, type Run } from './pieces.js';
import { Upload } from './upload.js';

export interface LinePartOptions {
  readonly buckets: Buckets;
  readonly compress: Compress;
  /** The path of the object, and of the marker of its upload. */
  readonly path: string;
  readonly marker: string;
  /** Rows that are too few for a part. */
  readonly pieces: Pieces;
}

/**
 * Writes lines as parts of their object, so they are sent once. At the end of an epoch, rows that are too few for a part are stored
 * as a piece until there are enough.
 *
 * Memory: a part, and that of the pieces.
 */
export class LinePartWriter implements PartWriter {
  private upload: Upload | undefined;
  private merged: readonly Run[];

  constructor(
    private readonly options: LinePartOptions,
    before: Kept,
  ) {
    this.merged = before.merged;
  }

  async put(rows: Buffer, areLast: boolean): Promise<void> {
    const { buckets, compress, path, marker, pieces } = this.options;
    const bytes = await compress(rows);
    const isPart = pieces.bytes + bytes.length >= PART_BYTES_MIN || (areLast && this.upload !== undefined);
    if (!isPart) return void (await pieces.put(bytes));
    const small: Uint8Array[] = [];
    for await (const body of pieces.bodiesOf(pieces.runs)) small.push(body);
    this.upload ??= await Upload.begin(buckets, path, marker);
    await this.upload.add(small.length === 0 ? bytes : Buffer.concat([...small, bytes]));
    await this.upload.begun();
    this.merged = [...this.merged, ...pieces.take()];
  }

  async kept(): Promise<Kept> {
    const { runs, bytes } = this.options.pieces;
    return { parts: await this.upload?.begun(), runs, bytes, merged: this.merged };
  }

  /** The upload stays, for the next owner of the task. */
  stop(): void {}
}
