import { setTimeout as pause } from 'node:timers/promises';

export interface BackOff {
  /** The first pause in milliseconds; each further one is twice as long, up to `waitMaxMs`. */
  readonly waitMs: number;
  readonly waitMaxMs: number;
}

/** How often and how long something is retried, as data; without end if neither limit is given. */
export interface RetryPolicy extends BackOff {
  /** Tries in all. */
  readonly attemptsMax?: number;
  /** Milliseconds from the first failure to the last try. */
  readonly totalMs?: number;
}

/** For requests to a server. */
export const requestBackOff: BackOff = { waitMs: 50, waitMaxMs: 5_000 };
/** For pings of a service that is down. */
export const outageBackOff: BackOff = { waitMs: 500, waitMaxMs: 10_000 };

/**
 * The pause after so many failures in a row. `random` is uniform in [0, 1): a pause is between half and all of its length, so that
 * clients do not retry in step.
 */
export const backOffMs = (failures: number, { waitMs, waitMaxMs }: BackOff, random: () => number): number =>
  Math.min(waitMaxMs, waitMs * 2 ** (failures - 1)) * (0.5 + random() / 2);

export interface RetryOptions extends RetryPolicy {
  /** Whether a retry may help; other errors are thrown at once. */
  readonly retriable: (error: unknown) => boolean;
  /** Runs before each retry. */
  readonly before?: (error: unknown) => void | Promise<void>;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly random?: () => number;
}

/**
 * Retries `work` until it succeeds, with growing pauses; throws the last error. Only for work that may be repeated.
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
