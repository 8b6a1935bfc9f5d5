/** Buffers of batches, handed out and taken back: a batch in steady state allocates nothing. */
export interface BufferPool {
  take(byteLength: number): ArrayBuffer;
  /** Takes back a buffer that a worker has returned. */
  give(buffer: ArrayBuffer): void;
}

/**
 * A pool of buffers of a few sizes.
 *
 * Memory bound: `keepMax` idle buffers of any size, the newest; what is handed out is bounded by the rows that callers
 * have outstanding. Buffers come back with old numbers in them.
 */
export function bufferPool(keepMax: number): BufferPool {
  const idle: ArrayBuffer[] = [];
  return {
    take(byteLength) {
      const at = idle.findIndex((buffer) => buffer.byteLength === byteLength);
      return (at < 0 ? undefined : idle.splice(at, 1)[0]) ?? new ArrayBuffer(byteLength);
    },
    give(buffer) {
      // A length of zero is what a buffer has that was transferred and never came back.
      if (buffer.byteLength === 0) return;
      idle.push(buffer);
      if (idle.length > keepMax) idle.shift();
    },
  };
}
