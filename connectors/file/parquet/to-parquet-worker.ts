import { serveCalls } from '../../../src/util/worker-thread.js';
import { type ToParquet, toParquet } from './to-parquet.js';
import type { Converting } from './to-parquet-protocol.js';

// The entry of the thread that makes the Parquet files of a process.

serveCalls<Converting>(
  () => {
    /** A file that failed to begin returns the error at each call. */
    const files = new Map<number, Promise<ToParquet>>();
    const moved = (bytes: Uint8Array<ArrayBuffer>, transfer: (buffer: ArrayBuffer) => void) => {
      transfer(bytes.buffer);
      return bytes;
    };
    return {
      async begin({ file, columns, groupRows }) {
        const opening = toParquet(columns, groupRows);
        files.set(file, opening);
        await opening;
      },
      push: async ({ file, packed }, transfer) =>
        moved((await (files.get(file) as Promise<ToParquet>)).push(packed), transfer),
      async end({ file }, transfer) {
        const opening = files.get(file) as Promise<ToParquet>;
        files.delete(file);
        return moved((await opening).end(), transfer);
      },
      drop({ file }) {
        files.delete(file);
      },
    };
  },
  { code: 'internal' },
);
