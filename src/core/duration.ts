declare const unit: unique symbol;

/** A length of time in milliseconds. It is branded, so a plain number is not accepted. */
export type Duration = number & { readonly [unit]: 'ms' };

/** `1.1 * 3_600_000` is a little more than whole milliseconds: that little is of the multiplication. */
function inMs(n: number, unitMs: number): Duration {
  const ms = n * unitMs;
  const whole = Math.round(ms);
  return (Math.abs(ms - whole) <= 1e-6 + Math.abs(ms) * Number.EPSILON ? whole : ms) as Duration;
}

/**
 * A duration in milliseconds.
 *
 * @example millis(500);
 */
export const millis = (n: number): Duration => n as Duration;
/**
 * A duration in seconds.
 *
 * @example seconds(30);
 */
export const seconds = (n: number): Duration => inMs(n, 1_000);
/**
 * A duration in minutes.
 *
 * @example minutes(5);
 */
export const minutes = (n: number): Duration => inMs(n, 60_000);
/**
 * A duration in hours.
 *
 * @example hours(24);
 */
export const hours = (n: number): Duration => inMs(n, 3_600_000);
/**
 * A duration in days of 24 hours.
 *
 * @example days(7);
 */
export const days = (n: number): Duration => inMs(n, 86_400_000);

/** A given duration as text for a message; `undefined` comes from a misspelt name. */
export const givenDuration = (given: number | undefined): string => (given === undefined ? 'missing' : `${given} ms`);

/** Formats a duration for `describe` and messages: `1500` is `1.5s`. */
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
