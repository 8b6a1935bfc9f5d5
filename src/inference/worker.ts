import { parentPort, workerData } from 'node:worker_threads';
import { assert, MillraceError, messageOf } from '../core/index.js';
import { control, type Reply, type Request } from './protocol.js';
import { sessionPool } from './session-pool.js';

// The entry of the inference thread. `session.run` blocks the thread that calls it, hence a thread of its own.

assert(parentPort !== null && workerData instanceof Int32Array, 'inference worker started outside a worker thread');
const port = parentPort;
const words = workerData;
const pool = sessionPool();

/** Says that this thread is inside the native runtime, unless the process is about to exit. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  Atomics.store(words, control.busy, 1);
  if (Atomics.load(words, control.stop) === 1) {
    leave();
    return await new Promise(() => {});
  }
  try {
    return await work();
  } finally {
    leave();
  }
}

function leave(): void {
  Atomics.store(words, control.busy, 0);
  Atomics.notify(words, control.busy);
}

async function answer(request: Request): Promise<{ readonly reply: Reply; readonly transfer: readonly ArrayBuffer[] }> {
  const { id } = request;
  switch (request.kind) {
    case 'load':
      return { reply: { id, ok: true, answer: await pool.load(request) }, transfer: [] };
    case 'run': {
      const { input } = request;
      const { scores, failures } = await pool.session(request.session).score(request);
      return {
        reply: { id, ok: true, answer: { scores, failures, input } },
        transfer: [input, scores.buffer as ArrayBuffer],
      };
    }
    case 'close':
      await pool.release();
      return { reply: { id, ok: true, answer: {} }, transfer: [] };
  }
}

async function handle(request: Request): Promise<void> {
  try {
    const { reply, transfer } = await guarded(() => answer(request));
    port.postMessage(reply, transfer);
  } catch (error) {
    const hint = error instanceof MillraceError ? error.hint : undefined;
    const reply: Reply = { id: request.id, ok: false, message: messageOf(error), hint };
    port.postMessage(reply);
  }
  // Nothing is left to wait for: the thread ends by itself, which no abort can spoil.
  if (request.kind === 'close') port.close();
}

let last = Promise.resolve();
port.on('message', (request: Request) => {
  last = last.then(() => handle(request));
});
