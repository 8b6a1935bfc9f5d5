import type { Readable } from 'node:stream';

/** The timeout of a silent response. It counts only the store's time, since a consumer may use the rows for as long as it takes. */
export class ResponseTimeout {
  private readonly late = new AbortController();
  /** Aborts the request at the timeout. */
  readonly signal: AbortSignal = this.late.signal;

  constructor(private readonly ms: number) {}

  /** Waits for a part of the response. */
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

  /** The body, piece by piece. */
  async *piecesOf(body: Readable): AsyncGenerator<Uint8Array> {
    const pieces = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.during(pieces.next());
        if (done) return;
        yield value;
      }
    } finally {
      body.destroy(); // it broke, or the rest is not needed
    }
  }
}
