/** Items of one piece. */
export const PIECE_MAX = 1_000;
/** Items that wait to be sent, before whoever brings more is asked to wait. */
const WAITING_MAX = 8 * PIECE_MAX;

/**
 * Sends items in their order, one piece after another: while one is under way the next fills up, and is made ready once it is full.
 * A piece that failed is never overtaken. Memory: `WAITING_MAX` items and one chunk.
 */
export class Outflow<T, Piece> {
  private waiting: T[] = [];
  /** Settles when nothing waits; rejects for good once a piece could not be sent. */
  private sending: Promise<void> | undefined;
  private failure: unknown;
  private closed = false;

  constructor(
    /** Takes the next piece off the list, `PIECE_MAX` items at most, and makes it ready. */
    private readonly take: (waiting: T[]) => Piece,
    private readonly send: (piece: Piece) => Promise<void>,
  ) {}

  put(items: readonly T[]): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    for (const item of items) this.waiting.push(item);
    // What begins with nothing ends before it is assigned, and would be taken for under way from then on.
    if (this.waiting.length > 0) this.sending ??= this.begin();
    if (this.waiting.length > WAITING_MAX) return this.sending;
  }

  /** Resolves when everything is sent. */
  async flush(): Promise<void> {
    await this.sending;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Gives up what waits. */
  async close(): Promise<void> {
    this.closed = true;
    this.waiting = [];
    await this.sending?.catch(() => undefined); // a piece that is under way, or a failure that `flush` told of
  }

  private begin(): Promise<void> {
    const sending = this.sendAll();
    sending.catch(() => undefined); // whoever puts or flushes next is told
    return sending;
  }

  private async sendAll(): Promise<void> {
    try {
      let sent = Promise.resolve();
      for (;;) {
        if (this.waiting.length < PIECE_MAX) await sent; // what is no full piece waits for company
        if (this.waiting.length === 0) return;
        const piece = this.take(this.waiting);
        await sent;
        if (this.closed) return;
        sent = this.send(piece);
      }
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.sending = undefined;
    }
  }
}
