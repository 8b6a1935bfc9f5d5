/** Input buffers of one size, handed out and taken back: a batch in steady state allocates nothing. */
export interface BufferPool {
  take(): Float32Array<ArrayBuffer>;
  /** Takes back a buffer that a worker has returned; a foreign or superfluous one is left to the collector. */
  give(buffer: ArrayBuffer): void;
}

/**
 * A pool of `Float32Array`s of `length` numbers.
 *
 * Memory bound: `keepMax` idle buffers; what is handed out is bounded by the rows that callers have outstanding.
 * Buffers come back with old numbers in them.
 */
export function bufferPool(length: number, keepMax: number): BufferPool {
  const idle: Float32Array<ArrayBuffer>[] = [];
  return {
    take: () => idle.pop() ?? new Float32Array(length),
    give(buffer) {
      // A length of zero is what a buffer has that was transferred and never came back.
      if (buffer.byteLength === length * 4 && idle.length < keepMax) idle.push(new Float32Array(buffer));
    },
  };
}
