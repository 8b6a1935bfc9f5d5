import { setTimeout as pause } from 'node:timers/promises';

export interface BackOff {
  /** The first wait in milliseconds; each further one is twice as long, up to `waitMaxMs`. */
  readonly waitMs: number;
  readonly waitMaxMs: number;
}

/** How often and how long something is tried, as data. It has no end where neither limit is given. */
export interface RetryPolicy extends BackOff {
  /** Tries in all. */
  readonly attemptsMax?: number;
  /** Milliseconds from the first failure to the last try. */
  readonly totalMs?: number;
}

/** For requests to a server. */
export const requestBackOff: BackOff = { waitMs: 50, waitMaxMs: 5_000 };
/** For asking what is known to be down. */
export const outageBackOff: BackOff = { waitMs: 500, waitMaxMs: 10_000 };

/**
 * How long to wait after so many failures in a row. `random` is uniform in [0, 1): a wait is between half and the whole of its
 * length, so that clients do not come back in step.
 */
export const backOffMs = (failures: number, { waitMs, waitMaxMs }: BackOff, random: () => number): number =>
  Math.min(waitMaxMs, waitMs * 2 ** (failures - 1)) * (0.5 + random() / 2);

export interface RetryOptions extends RetryPolicy {
  /** Whether another try may help; anything else is thrown at once. */
  readonly retriable: (error: unknown) => boolean;
  /** Runs before each further try. */
  readonly before?: (error: unknown) => void | Promise<void>;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly random?: () => number;
}

/**
 * Repeats `work` until it succeeds, with growing waits in between; throws the last error. Only for work whose
 * repetition has no effect.
 *
 * @example
 * await retry(() => insert(rows), { ...requestBackOff, attemptsMax: 8, retriable: isPassing });
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retriable, attemptsMax = Number.POSITIVE_INFINITY, totalMs = Number.POSITIVE_INFINITY, before } = options;
  const { sleep = pause, random = Math.random } = options;
  let firstMs: number | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      firstMs ??= Date.now();
      const waitMs = backOffMs(attempt, options, random);
      if (attempt >= attemptsMax || Date.now() + waitMs > firstMs + totalMs || !retriable(error)) throw error;
      await sleep(waitMs);
      await before?.(error);
    }
  }
}
