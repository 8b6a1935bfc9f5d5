import { parentPort } from 'node:worker_threads';
import { assert, MillraceError, messageOf } from '../../src/core/errors.js';
import { type ToParquet, toParquet } from './to-parquet.js';
import type { FromThread, ToThread } from './to-parquet-protocol.js';

// The entry of the thread that makes Parquet files: all that a process writes, word after word.

assert(parentPort !== null, 'the thread of conversions was started outside a worker thread');
const port = parentPort;
const files = new Map<number, ToParquet>();

const nothing = (): Uint8Array<ArrayBuffer> => new Uint8Array(0);

async function answer(message: ToThread): Promise<Uint8Array<ArrayBuffer>> {
  const { id } = message;
  switch (message.kind) {
    case 'begin':
      files.set(id, await toParquet(message.columns, message.groupRows));
      return nothing();
    case 'push':
      return (files.get(id) as ToParquet).push(message.packed);
    case 'end': {
      const bytes = (files.get(id) as ToParquet).end();
      files.delete(id);
      return bytes;
    }
    case 'drop':
      files.delete(id);
      return nothing();
  }
}

function failed(error: unknown): FromThread {
  const known = error instanceof MillraceError ? error : new MillraceError('internal', messageOf(error));
  const { code, message, hint, lasting } = known;
  return { kind: 'failed', code, message, hint, lasting };
}

let before: Promise<void> = Promise.resolve();

port.on('message', (message: ToThread) => {
  before = before.then(async () => {
    try {
      const bytes = await answer(message);
      port.postMessage({ kind: 'bytes', bytes } satisfies FromThread, [bytes.buffer]);
    } catch (error) {
      port.postMessage(failed(error));
    }
  });
});
