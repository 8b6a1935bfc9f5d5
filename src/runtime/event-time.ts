/**
 * The milliseconds that an `eventTime` callback means, NaN where it means none. Values are what came in, whatever their type
 * says: a number, a `bigint`, a `Date`, or a text of a number, as 64-bit integers arrive from stores that speak JSON. What is
 * missing is no time: `Number(null)` would be 1970.
 *
 * @example
 * eventTimeIn('1700000000000'); // 1700000000000
 * eventTimeIn(null); // NaN
 */
export function eventTimeIn(given: unknown): number {
  if (typeof given === 'number') return given;
  if (typeof given === 'bigint' || given instanceof Date) return Number(given);
  return typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
}

/** What a callback gave in the place of a time, for a dead letter. */
export function shownTime(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 100));
  if (given instanceof Date) return String(given);
  return (typeof given === 'object' && given !== null) || typeof given === 'function'
    ? `of type ${typeof given}`
    : String(given);
}
