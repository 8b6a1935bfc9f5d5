import { parentPort } from 'node:worker_threads';
import { assert, MillraceError, messageOf } from '../../../src/core/errors.js';
import { type ToParquet, toParquet } from './to-parquet.js';
import type { FromThread, ToThread } from './to-parquet-protocol.js';

// The entry of the thread that makes Parquet files: all that a process writes, word after word.

assert(parentPort !== null, 'the thread of conversions was started outside a worker thread');
const port = parentPort;
const files = new Map<number, Promise<ToParquet>>();

const nothing = (): Uint8Array<ArrayBuffer> => new Uint8Array(0);

async function answer(message: ToThread): Promise<Uint8Array<ArrayBuffer>> {
  const { id } = message;
  if (message.kind === 'begin') files.set(id, toParquet(message.columns, message.groupRows));
  const file = files.get(id) as Promise<ToParquet>; // one that could not begin says why at each word
  if (message.kind === 'end' || message.kind === 'drop') files.delete(id);
  const parquet = await file;
  if (message.kind === 'push') return parquet.push(message.packed);
  return message.kind === 'end' ? parquet.end() : nothing();
}

function failed(error: unknown): FromThread {
  const known = error instanceof MillraceError ? error : new MillraceError('internal', messageOf(error));
  const { code, message, hint, permanent } = known;
  return { kind: 'failed', code, message, hint, permanent };
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
