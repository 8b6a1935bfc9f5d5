declare const unit: unique symbol;

/** A length of time in milliseconds, branded so that a bare number does not pass for one. */
export type Duration = number & { readonly [unit]: 'ms' };

/**
 * A duration of so many milliseconds.
 *
 * @example millis(500);
 */
export const millis = (n: number): Duration => n as Duration;
/**
 * A duration of so many seconds.
 *
 * @example seconds(30);
 */
export const seconds = (n: number): Duration => (n * 1_000) as Duration;
/**
 * A duration of so many minutes.
 *
 * @example minutes(5);
 */
export const minutes = (n: number): Duration => (n * 60_000) as Duration;
/**
 * A duration of so many hours.
 *
 * @example hours(24);
 */
export const hours = (n: number): Duration => (n * 3_600_000) as Duration;
/**
 * A duration of so many days of 24 hours.
 *
 * @example days(7);
 */
export const days = (n: number): Duration => (n * 86_400_000) as Duration;

/** What was given as a duration, for a message: a name that is misspelt leaves none. */
export const givenDuration = (given: number | undefined): string => (given === undefined ? 'missing' : `${given} ms`);

/** `1500` as `1.5s`: how durations read in `describe` and in messages. */
export function formatDuration(duration: Duration): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  for (const [name, size] of units) if (duration >= size) return `${Number((duration / size).toFixed(3))}${name}`;
  return `${duration}ms`;
}
