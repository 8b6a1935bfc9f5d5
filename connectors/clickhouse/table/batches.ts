import { BatchingWriter } from '../../../src/connect/batching-writer.js';
import type { Engine } from '../engine/engine.js';

export interface BatchOptions {
  readonly table: string;
  readonly columns: readonly string[];
  /** Rows per insert. */
  readonly rowsMax: number;
  /** Inserts bytes, and repeats them if the connection fails (harmless because of the rows' identity). */
  readonly insert: Engine['insert'];
}

/** Characters that are kept as strings; for more, garbage collection of the long-lived pieces would dominate the cost. */
const PIECE = 8_192;

/** Bytes per insert; it limits inserts of wide rows. */
const BYTES_MAX = 32 * 2 ** 20;

/**
 * Encoded rows on their way to a table, packed into the bodies of inserts. At most one insert is in flight, one full body waits and
 * one fills.
 */
export class Batches {
  private text = '';
  private pieces: Buffer[] = [];
  private bytes = 0;
  private rows = 0;
  private readonly out: BatchingWriter<Buffer>;

  constructor(private readonly options: BatchOptions) {
    const { insert, table, columns } = options;
    this.out = new BatchingWriter<Buffer>({
      batchMax: 1,
      unsentMax: 1,
      batch:
        ([body]) =>
        () =>
          insert(table, columns, body as Buffer),
    });
  }

  /** Adds one row, in brackets: a string of bytes. */
  add(row: string): void {
    this.text += `${row}\n`;
    if (this.text.length >= PIECE) this.turnToBytes();
    if (++this.rows >= this.options.rowsMax || this.bytes >= BYTES_MAX) this.seal();
  }

  /** A promise to await before more is added, if too much is waiting. */
  pressure(): Promise<void> | undefined {
    return this.out.pressure();
  }

  /** Resolves when every row is in the table. */
  flush(): Promise<void> {
    this.seal();
    return this.out.drain();
  }

  /** Drops what is not in flight. */
  close(): Promise<void> {
    return this.out.close();
  }

  private seal(): void {
    if (this.rows === 0) return;
    this.turnToBytes();
    const body = Buffer.concat(this.pieces);
    this.pieces = [];
    this.bytes = 0;
    this.rows = 0;
    this.out.put([body]);
  }

  private turnToBytes(): void {
    this.pieces.push(Buffer.from(this.text, 'latin1'));
    this.bytes += this.text.length;
    this.text = '';
  }
}
