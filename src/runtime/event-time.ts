import { isoTime } from '../util/iso-time.js';

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

/** The first and the last of plausible event times, in milliseconds since 1970. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Before it a timestamp was not read from a clock: it is missing (-1), or a test's own. */
const CLOCKS_FROM_MS = Date.UTC(1971, 0);
/** From here on a number of seconds, read as milliseconds, is taken for seconds: it would mean the year 2000 or later. */
const SECONDS_FROM = Date.UTC(2000, 0) / 1_000;
const DAY_MS = 86_400_000;

/**
 * What is wrong with an event time, or `undefined`. It must lie in the years 1970 to 9999. It is also held against
 * the timestamp of the record: it must not lie further ahead than `aheadMax`, where that is given, and must not be a plausible time in
 * seconds, unless `aheadMax` is `none`. A function of the record alone, so every replay decides the same.
 *
 * @example
 * implausible(1_700_000_000, 1_700_000_000_000, days(1)); // 'event time is 1700000000, decades before the log's timestamp: seconds? ...'
 */
export function implausible(
  timeMs: number,
  timestampMs: number,
  aheadMax: number | 'none' | undefined,
): string | undefined {
  if (timeMs < FIRST_MS) return `event time is ${timeMs}, before 1970`;
  if (timeMs > LAST_MS) return `event time is ${timeMs}, after the year 9999${finerUnit(timeMs)}`;
  if (aheadMax === 'none' || timestampMs < CLOCKS_FROM_MS) return undefined;
  if (aheadMax !== undefined && timeMs > timestampMs + aheadMax)
    return `event time is ${isoTime(timeMs)}, more than aheadMax ahead of the log's timestamp ${isoTime(timestampMs)}`;
  if (timeMs >= SECONDS_FROM && timeMs * 1_000 <= timestampMs + DAY_MS)
    return `event time is ${timeMs}, decades before the log's timestamp: seconds? give milliseconds since 1970`;
  return undefined;
}

/** The time of a record that has no plausible one: the nearest that can be written as a date. */
export const within1970And9999 = (timeMs: number): number =>
  timeMs >= FIRST_MS && timeMs <= LAST_MS ? timeMs : timeMs > LAST_MS ? LAST_MS : FIRST_MS;

function finerUnit(timeMs: number): string {
  if (timeMs / 1_000 <= LAST_MS) return ': microseconds? give milliseconds since 1970';
  return timeMs / 1_000_000 <= LAST_MS ? ': nanoseconds? give milliseconds since 1970' : '';
}
