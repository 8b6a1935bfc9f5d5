/** Items that wait to be sent, before whoever brings more is asked to wait. */
const WAITING_MAX = 8_000;

/**
 * Sends items in their order, one piece after another: while one is under way the next fills up, so that a piece that failed is
 * never overtaken. Memory: `WAITING_MAX` items and one chunk.
 */
export class Outflow<T> {
  private waiting: T[] = [];
  /** Settles when nothing waits; rejects for good once a piece could not be sent. */
  private sending: Promise<void> | undefined;
  private failure: unknown;

  constructor(
    /** Takes the next piece off the list. */
    private readonly take: (waiting: T[]) => readonly T[],
    private readonly send: (piece: readonly T[]) => Promise<void>,
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
      while (this.waiting.length > 0) await this.send(this.take(this.waiting));
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.sending = undefined;
    }
  }
}
