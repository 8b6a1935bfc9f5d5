import { isMainThread } from 'node:worker_threads';
import { type Handlers, serveCalls } from '../../util/worker-thread.js';
import { sessionPool } from '../session/session-pool.js';
import { control, type Requests } from './protocol.js';

// The entry of an inference worker, a thread or a process. `session.run` blocks its thread, so it has a separate one.

const pool = sessionPool();
/** A process got a copy of the rows; the caller has kept its buffer. */
const nothing = new ArrayBuffer(0);

serveCalls<Requests>(
  ({ data }) => {
    const words = isMainThread ? new Int32Array(control.words) : (data as Int32Array);
    return {
      load: (ask) => guarded(words, () => pool.load(ask)),
      unload: ({ artifact }) =>
        guarded(words, async () => {
          await pool.unload(artifact);
          return {};
        }),
      run: (ask, transfer) =>
        guarded(words, async () => {
          const startedMs = performance.now();
          const { scores, discrete, failures } = await pool.session(ask.session).score(ask);
          const input = isMainThread ? nothing : ask.input;
          transfer(scores.buffer);
          transfer(input);
          const answer = { scores, failures, input, ms: performance.now() - startedMs };
          return discrete === undefined ? answer : { ...answer, discrete };
        }),
      close: () =>
        guarded(words, async () => {
          await pool.release();
          return {};
        }),
    } satisfies Handlers<Requests>;
  },
  // What is not known to be wrong for good: the session is broken.
  { code: 'inference', last: 'close' },
);

/** Marks that this thread is inside the native runtime, unless the process is about to exit. */
async function guarded<T>(words: Int32Array, work: () => Promise<T>): Promise<T> {
  Atomics.store(words, control.busy, 1);
  if (Atomics.load(words, control.stop) === 1) {
    leave(words);
    return await new Promise(() => {});
  }
  try {
    return await work();
  } finally {
    leave(words);
  }
}

function leave(words: Int32Array): void {
  Atomics.store(words, control.busy, 0);
  Atomics.notify(words, control.busy);
}
