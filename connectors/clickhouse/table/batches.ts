import { BatchingWriter } from '../../../src/connect/batching-writer.js';
import type { Engine } from '../engine/engine.js';

export interface BatchOptions {
  readonly table: string;
  readonly columns: readonly string[];
  /** Rows of one insert. */
  readonly rowsMax: number;
  /** Inserts bytes; repeats them where the connection fails (the rows' identity makes that harmless). */
  readonly insert: Engine['insert'];
}

/** Characters of text that are kept as such: of longer ones, whose pieces live for long, most of the cost is their collection. */
const PIECE = 8_192;

/** Bytes of one insert: the bound where rows are wide. */
const BYTES_MAX = 32 * 2 ** 20;

/**
 * Encoded rows on their way into a table, packed into the body of one insert after another: at most one insert is under way,
 * one full body waits and one fills.
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

  /** Takes one row, in brackets: a text of bytes. */
  add(row: string): void {
    this.text += `${row}\n`;
    if (this.text.length >= PIECE) this.turnToBytes();
    if (++this.rows >= this.options.rowsMax || this.bytes >= BYTES_MAX) this.seal();
  }

  /** A promise to wait for before more is added, if more is waiting than should be. */
  pressure(): Promise<void> | undefined {
    return this.out.pressure();
  }

  /** Resolves when every row is in the table. */
  flush(): Promise<void> {
    this.seal();
    return this.out.drain();
  }

  /** Drops what is not under way. */
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
