/** Processing time as the runtime sees it; tests give their own. */
export interface Clock {
  now(): number;
  /** Resolves after so long, or at once when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `tick` again and again, until what it returns is called. Ticks that were missed are not made up for. */
  every(ms: number, tick: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    }),
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    timer.unref(); // to look after a run is no reason to keep a process alive
    return () => clearInterval(timer);
  },
};
