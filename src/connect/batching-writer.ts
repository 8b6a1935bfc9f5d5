/** How a `BatchingWriter` cuts, bounds and sends batches. */
export interface BatchingOptions<T> {
  /** The size of a batch at most; an item that is larger is a batch of its own. */
  readonly batchMax: number;
  /** What may be unsent, under way included, before whoever puts more is asked to wait. */
  readonly unsentMax: number;
  /** The size of an item, such as its bytes. Every item counts 1 where this is left out. */
  readonly sizeOf?: (item: T) => number;
  /** Whether an item may be in one batch with the first one of it. All may where this is left out. */
  readonly together?: (first: T, next: T) => boolean;
  /**
   * `false`: a batch is sent when it is full, or when `drain` asks for it. Otherwise one is sent as soon as none is under way,
   * however small it is.
   */
  readonly eager?: boolean;
  /** Makes a batch ready, while the one before it is under way. What it returns sends the batch. */
  readonly batch: (items: readonly T[]) => () => Promise<void>;
}

/**
 * Sends items in batches, in their order, one batch after another: what a sink does that writes to a server. While a batch is
 * under way the next one fills up, and is made ready once it is full.
 *
 * Guarantee: no batch is sent before the one before it has succeeded. The first failure is for good: nothing is sent after it,
 * and `put` and `drain` throw it. Memory: `unsentMax`, and the items of one `put`.
 *
 * @example
 * const out = new BatchingWriter<Row>({ batchMax: 1_000, unsentMax: 5_000, batch: (rows) => () => insert(rows) });
 * return { write: (rows) => out.put(rows), prepare: () => out.drain(), close: () => out.close() };
 */
export class BatchingWriter<T> {
  private waiting: T[] = [];
  private waitingSize = 0;
  private underWaySize = 0;
  /** Settles when nothing is left to send for now. */
  private sending: Promise<void> | undefined;
  private isDraining = false;
  private isClosed = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: BatchingOptions<T>) {}

  /** Takes items; answers with a promise to wait for where too much is unsent. */
  put(items: readonly T[]): void | Promise<void> {
    this.throwFailure();
    for (const item of items) {
      this.waiting.push(item);
      this.waitingSize += this.sizeOf(item);
    }
    if (this.isDue()) this.start();
    return this.pressure();
  }

  /** What to wait for before more is put, where too much is unsent. */
  pressure(): Promise<void> | undefined {
    this.throwFailure();
    return this.isOver() ? this.sending : undefined;
  }

  /** Resolves when everything is sent. */
  async drain(): Promise<void> {
    this.isDraining = true;
    this.start();
    await this.sending;
    this.throwFailure();
  }

  /** Drops what waits, and resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting = [];
    await this.sending?.catch(() => undefined); // `put` and `drain` tell of failures
  }

  private start(): void {
    if (this.sending || this.failure || this.waiting.length === 0) return;
    this.sending = Promise.resolve().then(() => this.sendAll());
    this.sending.catch(() => undefined); // whoever puts or drains next is told
  }

  private async sendAll(): Promise<void> {
    let sent = Promise.resolve();
    try {
      for (;;) {
        if (!this.isFull()) await sent; // what is no full batch waits for more
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
