import type { Columns } from '../file/parquet/packed-rows.js';
import { Conversion } from '../file/parquet/to-parquet-thread.js';
import type { Buckets } from './bucket.js';
import { PIECE_BYTES } from './pieces.js';
import { Upload } from './upload.js';

export interface ParquetUploadOptions {
  readonly buckets: Buckets;
  readonly columns: Columns;
  /** The path of the object, and of the marker of its upload. */
  readonly path: string;
  readonly marker: string;
}

/**
 * A Parquet object that is made and sent while its rows arrive. It ends with this process, and nothing is lost: the rows are in
 * pieces, from which it can be made again.
 *
 * Memory: a part, and that of a conversion.
 */
export class ParquetUpload {
  private readonly conversion: Conversion;
  private upload: Upload | undefined;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private underWay: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly options: ParquetUploadOptions) {
    this.conversion = new Conversion(options.columns);
  }

  /** Adds packed rows, in the background. */
  add(packed: AsyncIterable<Uint8Array>): void {
    this.underWay = this.underWay.then(() => this.convert(packed));
    this.underWay.catch(() => undefined); // `complete` reports it
  }

  /** Makes the object visible once all its rows are in it; aborts the upload after a failure. */
  async complete(): Promise<void> {
    const { buckets, path } = this.options;
    try {
      await this.underWay;
      this.waiting.push(await this.conversion.end());
      const rest = Buffer.concat(this.waiting);
      await (this.upload === undefined ? buckets.put(path, rest) : this.upload.complete(rest));
    } catch (error) {
      this.stop();
      await this.upload?.abort();
      throw error;
    }
  }

  /** Stops the conversion. The upload stays, for the next owner of the task. */
  stop(): void {
    this.isStopped = true;
    this.conversion.drop();
  }

  private async convert(packed: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of packed) {
      if (this.isStopped) return;
      const bytes = await this.conversion.push(piece);
      this.waiting.push(bytes);
      this.waitingBytes += bytes.length;
      if (this.waitingBytes >= PIECE_BYTES) await this.send();
    }
  }

  private async send(): Promise<void> {
    const { buckets, path, marker } = this.options;
    const part = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    this.upload ??= await Upload.begin(buckets, path, marker);
    await this.upload.add(part);
  }
}
