import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Columns } from './packed-rows.js';
import { Conversion } from './to-parquet-thread.js';

const CHUNK_BYTES = 256 * 1024;

/**
 * A Parquet file beside the file of packed rows that it is made from, while that file grows.
 *
 * Memory: two chunks of 256 KiB, and that of the conversion.
 */
export class ParquetFile {
  private readonly path: string;
  private conversion: Conversion | undefined;
  private file: FileHandle | undefined;
  private converted = 0;
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly packed: string,
    private readonly columns: Columns,
  ) {
    this.path = `${packed}.converted`;
  }

  get name(): string {
    return basename(this.path);
  }

  /** Starts to convert the packed rows up to a byte. Resolves when the previous conversion is done. */
  async goOn(end: number): Promise<void> {
    const before = this.underWay;
    this.underWay = before.then(() => this.convert(end));
    this.underWay.catch(() => undefined); // the next call reports it
    await before;
  }

  /** The packed rows end at a byte: resolves when the file is complete and synced. */
  async end(end: number): Promise<void> {
    await this.goOn(end);
    await this.underWay;
    const { conversion, file } = await this.begun();
    await file.appendFile(await conversion.end());
    await file.sync();
    await file.close();
  }

  /** Discards the file unless it is complete. */
  async close(): Promise<void> {
    await this.underWay.catch(() => undefined); // the rows are kept and are converted again
    this.conversion?.drop();
    await this.file?.close();
  }

  private async convert(end: number): Promise<void> {
    const { conversion, file } = await this.begun();
    const start = this.converted;
    this.converted = end;
    if (start === end) return;
    const chunks = createReadStream(this.packed, { start, end: end - 1, highWaterMark: CHUNK_BYTES });
    for await (const chunk of chunks) {
      const bytes = await conversion.push(chunk);
      if (bytes.length > 0) await file.appendFile(bytes);
    }
  }

  private async begun(): Promise<{ readonly conversion: Conversion; readonly file: FileHandle }> {
    this.file ??= await open(this.path, 'w');
    this.conversion ??= new Conversion(this.columns);
    return { conversion: this.conversion, file: this.file };
  }
}
