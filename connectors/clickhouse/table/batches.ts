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

/**
 * Collects rows into batches and inserts one after another, so that at most one insert is under way, one full batch
 * waits and one fills: three batches of memory. `add` answers with a promise when it is time to wait.
 */
export class Batches {
  private text = '';
  private pieces: Buffer[] = [];
  private rows = 0;
  /** Ends when every batch closed so far is inserted; rejects for good once one of them could not be. */
  private inserted: Promise<void> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly options: BatchOptions) {}

  /** Takes one row, in brackets: a text of bytes. */
  add(row: string): void {
    this.text += `${row}\n`;
    if (this.text.length >= PIECE) this.turnToBytes();
    if (++this.rows >= this.options.rowsMax) this.seal();
  }

  /** A promise to wait for before more is added, if more is waiting than should be. */
  pressure(): Promise<void> | undefined {
    return this.waiting > 1 ? this.inserted : undefined;
  }

  /** Resolves when every row is in the table. */
  async flush(): Promise<void> {
    this.seal();
    await this.inserted;
  }

  private seal(): void {
    if (this.rows === 0) return;
    const { insert, table, columns } = this.options;
    this.turnToBytes();
    const body = Buffer.concat(this.pieces);
    this.pieces = [];
    this.rows = 0;
    this.waiting++;
    this.inserted = this.inserted.then(async () => {
      await insert(table, columns, body);
      this.waiting--;
    });
    this.inserted.catch(() => undefined); // whoever writes or flushes next is told
  }

  private turnToBytes(): void {
    this.pieces.push(Buffer.from(this.text, 'latin1'));
    this.text = '';
  }
}
