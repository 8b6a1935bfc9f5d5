/** Processing time for the runtime; tests pass their own. */
export interface Clock {
  now(): number;
  /** Milliseconds since any moment, finer than `now` and never going back: for measuring. Without it, `now` is used. */
  readonly fine?: () => number;
  /** Resolves after a time, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `tick` periodically until the returned function is called. Missed ticks are not repeated. */
  every(ms: number, tick: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  fine: () => performance.now(),
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
    timer.unref(); // watching a run must not keep the process alive
    return () => clearInterval(timer);
  },
};

/** A clock that goes on from where it was when the other is set back. What is due by it does not wait until that has caught up. */
export function steady(clock: Pick<Clock, 'now' | 'sleep'>): Pick<Clock, 'now' | 'sleep'> {
  let lastMs = clock.now();
  let setBackMs = 0;
  return {
    now() {
      const nowMs = clock.now();
      setBackMs += Math.max(0, lastMs - nowMs);
      lastMs = nowMs;
      return nowMs + setBackMs;
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

/** Waits until a time. Who waits for the same time again shares its timer. */
export function alarm(clock: Pick<Clock, 'now' | 'sleep'>): (dueMs: number) => Promise<void> {
  let next: { readonly dueMs: number; readonly rings: Promise<void> } | undefined;
  return (dueMs) => {
    if (next?.dueMs !== dueMs) {
      const rings = clock.sleep(Math.max(1, dueMs - clock.now())).then(() => {
        if (next?.dueMs === dueMs) next = undefined;
      });
      next = { dueMs, rings };
    }
    return next.rings;
  };
}

/** The fewest looks in vain that make a silence long. */
const LOOKS_MIN = 4;

/**
 * How long nothing has come, by looks that found nothing. A look counts the time since the one before, up to a part of the timeout:
 * while a task drains or waits, or its process is suspended, nobody looks, and much may have come.
 */
export class Silence {
  private silentMs = 0;

  constructor(
    private readonly timeoutMs: number,
    private lookedMs: number,
  ) {}

  /** Something has come, or nobody has looked until now. */
  end(nowMs: number): void {
    this.silentMs = 0;
    this.lookedMs = nowMs;
  }

  /** A look has found nothing. */
  note(nowMs: number): void {
    this.silentMs += Math.min(Math.max(0, nowMs - this.lookedMs), this.timeoutMs / LOOKS_MIN);
    this.lookedMs = nowMs;
  }

  /** Whether the timeout has passed. */
  get isLong(): boolean {
    return this.silentMs >= this.timeoutMs;
  }
}

/** What durations are measured by. */
export const measuringClock = (clock: Pick<Clock, 'now' | 'fine'>): (() => number) => clock.fine ?? (() => clock.now());

/** Limits the rate of records: for demonstrations, and for backlogs that would overload a database. */
export interface Pace {
  /** The largest round of all tasks together that keeps the rate even: the records of a twentieth of a second. What one reads ahead waits for the others. */
  readonly roundMax: number;
  /** Waits until so many records are due. */
  take(records: number, signal?: AbortSignal): Promise<void>;
}

export const unpaced: Pace = { roundMax: Number.POSITIVE_INFINITY, take: async () => undefined };

export function paceOf(recordsPerSecond: number, clock: Pick<Clock, 'now' | 'sleep'>): Pace {
  const { now, sleep } = steady(clock);
  let dueMs = now();
  return {
    roundMax: Math.max(1, Math.floor(recordsPerSecond / 20)),
    async take(records, signal) {
      // Idle time is not made up for, because the rate is an upper limit.
      dueMs = Math.max(dueMs, now() - 1_000) + (records * 1_000) / recordsPerSecond;
      const waitMs = dueMs - now();
      if (waitMs > 0) await sleep(waitMs, signal);
    },
  };
}
