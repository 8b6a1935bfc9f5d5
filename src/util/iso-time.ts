/**
 * Formats a timestamp of a log. Other producers may write any number; one that is not a date is shown as it is, since `toISOString`
 * would throw.
 *
 * @example
 * isoTime(0); // '1970-01-01T00:00:00.000Z'
 * isoTime(1e300); // '1e+300'
 */
export function isoTime(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString();
}
