/**
 * A pool of a fixed number of items, each lent to one user at a time, first come, first served. (A chdb session runs one statement
 * after another: a long query on the only session would delay every insert.)
 */
export class Sessions<T> {
  private readonly free: T[];
  private readonly waiting: ((session: T) => void)[] = [];

  constructor(private readonly all: readonly T[]) {
    this.free = [...all];
  }

  async use<R>(work: (session: T) => Promise<R>): Promise<R> {
    const session = this.free.pop() ?? (await new Promise<T>((resolve) => this.waiting.push(resolve)));
    try {
      return await work(session);
    } finally {
      const next = this.waiting.shift();
      if (next) next(session);
      else this.free.push(session);
    }
  }

  /** Resolves when all are returned, and lends none afterwards. */
  async drain(): Promise<readonly T[]> {
    await Promise.all(
      this.all.map(() => (this.free.pop() ? undefined : new Promise<T>((resolve) => this.waiting.push(resolve)))),
    );
    return this.all;
  }
}
