/** A pool of batch buffers: a batch in steady state allocates nothing. */
export interface BufferPool {
  take(byteLength: number): ArrayBuffer;
  /** Returns a buffer to the pool. */
  give(buffer: ArrayBuffer): void;
}

/**
 * A pool of buffers of a few sizes.
 *
 * Memory: the newest `keepMax` idle buffers of any size; buffers in use are limited by the rows of the callers. A reused buffer
 * contains old numbers.
 */
export function bufferPool(keepMax: number): BufferPool {
  const idle: ArrayBuffer[] = [];
  return {
    take(byteLength) {
      const at = idle.findIndex((buffer) => buffer.byteLength === byteLength);
      return (at < 0 ? undefined : idle.splice(at, 1)[0]) ?? new ArrayBuffer(byteLength);
    },
    give(buffer) {
      // A transferred buffer that was not returned has length zero.
      if (buffer.byteLength === 0) return;
      idle.push(buffer);
      if (idle.length > keepMax) idle.shift();
    },
  };
}
