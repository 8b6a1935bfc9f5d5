/** How long an answer may say nothing. Of the store alone: who reads an object takes as long as what is done with its rows. */
export class Patience {
  private readonly late = new AbortController();
  /** For the request: it is given up when patience ends. */
  readonly signal: AbortSignal = this.late.signal;

  constructor(private readonly ms: number) {}

  /** Waits for something of the answer. */
  async during<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.late.abort(new Error(`no answer within ${this.ms} ms`)), this.ms);
    return work.finally(() => clearTimeout(timer));
  }

  /** The body in pieces as they come. */
  async *piecesOf({ body }: Response): AsyncGenerator<Uint8Array> {
    const reader = body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const { done, value } = await this.during(reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      reader.cancel().catch(() => undefined); // it broke, or nobody wants the rest
    }
  }
}
