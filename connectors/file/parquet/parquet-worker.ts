import { parentPort, workerData } from 'node:worker_threads';
import { assert, MillraceError, messageOf } from '../../../src/core/errors.js';
import { decodeParquet } from './parquet-decode.js';
import { buffersOf, type FromThread, shared, type ToThread } from './parquet-protocol.js';

// The entry of the thread that decodes Parquet: one file at a time, one row group ahead of who reads it.

assert(
  parentPort !== null && workerData instanceof Int32Array,
  'the Parquet thread was started outside a worker thread',
);
const port = parentPort;
const words = workerData;

const say = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer);

interface Asked {
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
}
const asked = new Map<number, Asked>();
let nextId = 0;
let room: () => void = () => undefined;

const read = (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    const id = nextId++;
    asked.set(id, { resolve, reject });
    say({ kind: 'read', id, start, end });
  });

async function decode(open: ToThread & { readonly kind: 'open' }): Promise<void> {
  const onProgress = () => void Atomics.add(words, shared.progress, 1);
  try {
    for await (const group of decodeParquet({ ...open, read, onProgress })) {
      const more = new Promise<void>((resolve) => {
        room = resolve;
      });
      say({ kind: 'group', group }, buffersOf(group));
      await more;
    }
    say({ kind: 'end' });
  } catch (error) {
    const { hint } = error instanceof MillraceError ? error : { hint: undefined };
    say({ kind: 'failed', message: messageOf(error), hint });
  }
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'open':
      void decode(message);
      return;
    case 'more':
      room();
      return;
    default: {
      const { resolve, reject } = asked.get(message.id) as Asked;
      asked.delete(message.id);
      if (message.kind === 'bytes') resolve(message.bytes);
      else reject(new Error('its bytes could not be read'));
    }
  }
});
