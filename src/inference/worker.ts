import { type Handlers, serveCalls } from '../util/worker-thread.js';
import { control, type Requests } from './protocol.js';
import { sessionPool } from './session-pool.js';

// The entry of the inference thread. `session.run` blocks its thread, so it has a separate one.

const pool = sessionPool();

serveCalls<Requests>(
  ({ data }) => {
    const words = data as Int32Array;
    return {
      load: (ask) => guarded(words, () => pool.load(ask)),
      run: (ask, transfer) =>
        guarded(words, async () => {
          const { input } = ask;
          const { scores, failures } = await pool.session(ask.session).score(ask);
          transfer(input);
          transfer(scores.buffer);
          return { scores, failures, input };
        }),
      close: () =>
        guarded(words, async () => {
          await pool.release();
          return {};
        }),
    } satisfies Handlers<Requests>;
  },
  { code: 'model', last: 'close' },
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
