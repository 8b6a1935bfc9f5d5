export interface BackOff {
  /** The first wait in milliseconds; each further one is twice as long, up to `waitMaxMs`. */
  readonly waitMs: number;
  readonly waitMaxMs: number;
  /** Uniform in [0, 1): a wait is between half and the whole of its length, so that clients do not come back in step. */
  readonly random: () => number;
}

/** How long to wait after so many failures in a row. */
export const backOffMs = (failures: number, { waitMs, waitMaxMs, random }: BackOff): number =>
  Math.min(waitMaxMs, waitMs * 2 ** (failures - 1)) * (0.5 + random() / 2);

export interface RetryOptions extends BackOff {
  /** Whether another try may help; anything else is thrown at once. */
  readonly retriable: (error: unknown) => boolean;
  /** Tries in all. */
  readonly attemptsMax: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Repeats `work` until it succeeds, with growing waits in between; throws the last error. Only for work whose
 * repetition has no effect.
 *
 * @example
 * await retry(() => insert(rows), { retriable, attemptsMax: 8, waitMs: 50, waitMaxMs: 5_000, sleep, random: Math.random });
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retriable, attemptsMax, sleep } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attemptsMax || !retriable(error)) throw error;
      await sleep(backOffMs(attempt, options));
    }
  }
}
