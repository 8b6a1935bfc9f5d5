/**
 * Credits: how many records a task has pushed that some leaf of its pipeline (a sink, or a stream that nobody reads)
 * has not yet finished. Every leaf finishes rounds in order, so a counter a leaf is all it takes.
 */
export class InFlight {
  private readonly done: number[];
  private readonly sizes: number[] = [];
  private finished = 0;
  private waiting: {
    readonly below: number;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  private failure: { readonly error: unknown } | undefined;
  records = 0;

  constructor(leaves: number) {
    this.done = new Array(leaves).fill(0);
  }

  push(records: number): void {
    this.sizes.push(records);
    this.records += records;
  }

  /** Leaf number `leaf` is through with its next round. */
  finish(leaf: number): void {
    this.done[leaf] = (this.done[leaf] ?? 0) + 1;
    const rounds = Math.min(...this.done);
    while (this.finished < rounds) {
      this.records -= this.sizes.shift() ?? 0;
      this.finished += 1;
    }
    this.wake();
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  /** Resolves once fewer than `below` records are in flight; rejects with the pipeline's failure. */
  async fewerThan(below: number): Promise<void> {
    if (this.failure) throw this.failure.error;
    if (this.records < below) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ below, resolve, reject }));
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  private wake(): void {
    if (this.waiting.length === 0) return;
    const still: typeof this.waiting = [];
    for (const waiter of this.waiting) {
      if (this.failure) waiter.reject(this.failure.error);
      else if (this.records < waiter.below) waiter.resolve();
      else still.push(waiter);
    }
    this.waiting = still;
  }
}
