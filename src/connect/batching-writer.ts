/** The size, the limits and the sending of batches of a `BatchingWriter`. */
export interface BatchingOptions<T> {
  /** The largest size of a batch; a larger item is a batch of its own. */
  readonly batchMax: number;
  /** The most that may be unsent, including what is in flight, before `put` returns a promise. */
  readonly unsentMax: number;
  /** The size of an item, such as its bytes; 1 for every item by default. */
  readonly sizeOf?: (item: T) => number;
  /** Whether an item may be in one batch with the batch's first item; by default any may. */
  readonly together?: (first: T, next: T) => boolean;
  /**
   * `false`: a batch is sent when it is full, or when `drain` is called. Otherwise one is sent as soon as none is in flight,
   * however small.
   */
  readonly eager?: boolean;
  /** Prepares a batch while the previous one is in flight; the returned function sends it. */
  readonly batch: (items: readonly T[]) => () => Promise<void>;
}

/**
 * Sends items in batches, in order, one batch after another, for sinks that write to a server. While a batch is in flight the next
 * one fills, and is prepared once it is full.
 *
 * Guarantee: no batch is sent before the previous one has succeeded. The first failure is final: nothing is sent after it, and
 * `put` and `drain` throw it. Memory: `unsentMax`, and the items of one `put`.
 *
 * @example
 * const out = new BatchingWriter<Row>({ batchMax: 1_000, unsentMax: 5_000, batch: (rows) => () => insert(rows) });
 * return { write: (rows) => out.put(rows), prepare: () => out.drain(), close: () => out.close() };
 */
export class BatchingWriter<T> {
  private waiting: T[] = [];
  private waitingSize = 0;
  private underWaySize = 0;
  /** Settles when nothing is left to send. */
  private sending: Promise<void> | undefined;
  private isDraining = false;
  private isClosed = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: BatchingOptions<T>) {}

  /** Adds items; returns a promise to await if too much is unsent. */
  put(items: readonly T[]): void | Promise<void> {
    this.throwFailure();
    for (const item of items) {
      this.waiting.push(item);
      this.waitingSize += this.sizeOf(item);
    }
    if (this.isDue()) this.start();
    return this.pressure();
  }

  /** A promise to await before more is added, if too much is unsent. */
  pressure(): Promise<void> | undefined {
    this.throwFailure();
    return this.isOver() ? this.sending : undefined;
  }

  /** Resolves when everything is sent. */
  async drain(): Promise<void> {
    // Only what is sent ends a drain: one of nothing would not end.
    this.isDraining = this.sending !== undefined || this.waiting.length > 0;
    this.start();
    await this.sending;
    this.throwFailure();
  }

  /** Drops what waits, and resolves when nothing is in flight. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting = [];
    await this.sending?.catch(() => undefined); // `put` and `drain` report failures
  }

  private start(): void {
    if (this.sending || this.failure || this.waiting.length === 0) return;
    this.sending = Promise.resolve().then(() => this.sendAll());
    this.sending.catch(() => undefined); // the next `put` or `drain` reports it
  }

  private async sendAll(): Promise<void> {
    let sent = Promise.resolve();
    try {
      for (;;) {
        if (!this.isFull()) await sent; // an incomplete batch waits for more
        if (!this.isDue()) return;
        const items = this.take();
        const send = this.options.batch(items);
        await sent;
        if (this.isClosed) return;
        sent = this.sendOne(send, items);
        sent.catch(() => undefined); // awaited above
      }
    } catch (error) {
      this.failure = { error };
      await sent.catch(() => undefined);
      throw error;
    } finally {
      this.sending = undefined;
      this.isDraining = false;
    }
  }

  private async sendOne(send: () => Promise<void>, items: readonly T[]): Promise<void> {
    await send();
    for (const item of items) this.underWaySize -= this.sizeOf(item);
  }

  /** The items of the next batch. */
  private take(): readonly T[] {
    const { batchMax, together = () => true } = this.options;
    let size = 0;
    let end = 0;
    for (const item of this.waiting) {
      const grown = size + this.sizeOf(item);
      if (end > 0 && (grown > batchMax || !together(this.waiting[0] as T, item))) break;
      size = grown;
      end++;
    }
    this.waitingSize -= size;
    this.underWaySize += size;
    return this.waiting.splice(0, end);
  }

  private isDue(): boolean {
    const { eager = true } = this.options;
    return this.waiting.length > 0 && (eager || this.isDraining || this.isFull() || this.isOver());
  }

  private isFull(): boolean {
    return this.waitingSize >= this.options.batchMax;
  }

  private isOver(): boolean {
    return this.waitingSize + this.underWaySize > this.options.unsentMax;
  }

  private sizeOf(item: T): number {
    return this.options.sizeOf?.(item) ?? 1;
  }

  private throwFailure(): void {
    if (this.failure) throw this.failure.error;
  }
}
