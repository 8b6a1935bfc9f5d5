import type { Readable } from 'node:stream';

/** How long an answer may say nothing. Of the store alone: who reads an object takes as long as what is done with its rows. */
export class ResponseTimeout {
  private readonly late = new AbortController();
  /** For the request: it is given up when time is over. */
  readonly signal: AbortSignal = this.late.signal;

  constructor(private readonly ms: number) {}

  /** Waits for something of the answer. */
  async during<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`no answer within ${this.ms} ms`);
        this.late.abort(error);
        reject(error);
      }, this.ms);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  /** The body in pieces as they come. */
  async *piecesOf(body: Readable): AsyncGenerator<Uint8Array> {
    const pieces = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.during(pieces.next());
        if (done) return;
        yield value;
      }
    } finally {
      body.destroy(); // it broke, or nobody wants the rest
    }
  }
}
