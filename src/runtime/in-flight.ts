/**
 * Counts the records, and their bytes, that were pushed into a task's pipeline and that some leaf (a sink, or a stream without a
 * reader) has not finished. Every leaf finishes rounds in order, so one counter per leaf is enough.
 */
export class InFlight {
  private readonly done: number[];
  private readonly rounds: { readonly records: number; readonly bytes: number }[] = [];
  private finished = 0;
  private waiting: {
    readonly records: number;
    readonly bytes: number;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  private failure: { readonly error: unknown } | undefined;
  records = 0;
  private bytes = 0;

  constructor(leaves: number) {
    this.done = new Array(leaves).fill(0);
  }

  push(records: number, bytes: number): void {
    this.rounds.push({ records, bytes });
    this.records += records;
    this.bytes += bytes;
  }

  /** Leaf number `leaf` has finished its next round. */
  finish(leaf: number): void {
    this.done[leaf] = (this.done[leaf] ?? 0) + 1;
    const rounds = Math.min(...this.done);
    while (this.finished < rounds) {
      const { records = 0, bytes = 0 } = this.rounds.shift() ?? {};
      this.records -= records;
      this.bytes -= bytes;
      this.finished += 1;
    }
    this.wake();
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  /** Resolves when fewer records and bytes are in flight; rejects with the pipeline's failure. */
  async fewerThan(records: number, bytes = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.failure) throw this.failure.error;
    if (this.records < records && this.bytes < bytes) return;
    await new Promise<void>((resolve, reject) => this.waiting.push({ records, bytes, resolve, reject }));
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  private wake(): void {
    if (this.waiting.length === 0) return;
    const still: typeof this.waiting = [];
    for (const waiter of this.waiting) {
      if (this.failure) waiter.reject(this.failure.error);
      else if (this.records < waiter.records && this.bytes < waiter.bytes) waiter.resolve();
      else still.push(waiter);
    }
    this.waiting = still;
  }
}

/** The parts of a byte budget that a task may use. */
export interface Allowance {
  /** Read, and not yet in a round. */
  readonly buffered: number;
  /** In one round: a step processes a round in one turn of the event loop. */
  readonly round: number;
  /** A round is pushed while fewer bytes are on their way to the sinks. */
  readonly inFlight: number;
  /** Pushed since the last checkpoint, and possibly kept by sinks until the next: above it, a commit is due. */
  readonly uncommitted: number;
  /** Returns the task's part to the others. */
  close(): Promise<void>;
}

const BYTES_MAX = 256 * 1024 * 1024;
const ROUND_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Divides the memory for records equally among all open tasks of a run. A task does not wait for others to release memory: two
 * tasks could each hold records of one input while they need records of another, and wait for each other for ever.
 *
 * @example
 * const allowance = new ByteBudget(256 * 2 ** 20).join();
 * allowance.inFlight; // 134,217,728 while there is one task
 */
export class ByteBudget {
  private tasks = 0;

  constructor(private readonly bytesMax = BYTES_MAX) {}

  join(): Allowance {
    this.tasks += 1;
    let isOpen = true;
    const part = (share: number): number => (this.bytesMax * share) / Math.max(1, this.tasks);
    return {
      get buffered() {
        return part(1 / 4);
      },
      get round() {
        return Math.min(ROUND_BYTES_MAX, part(1 / 4));
      },
      get inFlight() {
        return part(1 / 2);
      },
      get uncommitted() {
        return part(1);
      },
      close: async () => {
        if (isOpen) this.tasks -= 1;
        isOpen = false;
      },
    };
  }
}
