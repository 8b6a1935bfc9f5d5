import { MillraceError } from '../../core/index.js';

/** The buffer of a batch. Throws `MillraceError('model')` where there is no memory for it. */
export function batchBuffer(byteLength: number): ArrayBuffer {
  try {
    return new ArrayBuffer(byteLength);
  } catch (cause) {
    throw new MillraceError('model', `there is no memory for a batch of ${Math.ceil(byteLength / 2 ** 20)} MiB`, {
      hint: 'lower `batchMax`',
      cause,
    });
  }
}

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
      return (at < 0 ? undefined : idle.splice(at, 1)[0]) ?? batchBuffer(byteLength);
    },
    give(buffer) {
      // A transferred buffer that was not returned has length zero.
      if (buffer.byteLength === 0) return;
      idle.push(buffer);
      if (idle.length > keepMax) idle.shift();
    },
  };
}
