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

/** Holds records to a rate: for demonstrations, and for backlogs that must not starve a database. */
export interface Pace {
  /** The largest round that keeps the flow even: a twentieth of a second's worth. */
  readonly roundMax: number;
  /** Waits until so many more records are due. */
  take(records: number, signal?: AbortSignal): Promise<void>;
}

export const unpaced: Pace = { roundMax: Number.POSITIVE_INFINITY, take: async () => undefined };

export function paceOf(recordsPerSecond: number, clock: Pick<Clock, 'now' | 'sleep'>): Pace {
  let dueMs = clock.now();
  return {
    roundMax: Math.max(1, Math.floor(recordsPerSecond / 20)),
    async take(records, signal) {
      // Time that passed without records is not made up for: a rate is a limit, not a debt.
      dueMs = Math.max(dueMs, clock.now() - 1_000) + (records * 1_000) / recordsPerSecond;
      const waitMs = dueMs - clock.now();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}
