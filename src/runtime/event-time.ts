import { isoTime } from '../util/iso-time.js';

/**
 * The result of an `eventTime` callback in milliseconds; NaN if it is not a time. Values come from outside, whatever their type: a
 * number, a `bigint`, a `Date`, or a number as text, as JSON carries 64-bit integers. A missing value is not a time, although
 * `Number(null)` would be 1970.
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

/** The result of the callback as text for a dead letter. */
export function shownTime(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 100));
  if (given instanceof Date) return String(given);
  return (typeof given === 'object' && given !== null) || typeof given === 'function'
    ? `of type ${typeof given}`
    : String(given);
}

/** The first and the last plausible event time, in milliseconds since 1970. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** An earlier timestamp did not come from a clock: it is missing (-1), or from a test. */
const CLOCKS_FROM_MS = Date.UTC(1971, 0);
/** A larger number of seconds, read as milliseconds, is recognized as seconds, since it means the year 2000 or later. */
const SECONDS_FROM = Date.UTC(2000, 0) / 1_000;
const DAY_MS = 86_400_000;
/** No larger number is recognized as seconds, whatever the timestamp of its record. */
const SECONDS_TO = (LAST_MS + DAY_MS) / 1_000;

/**
 * Describes what is wrong with an event time, or returns `undefined`. It must lie in the years 1970 to 9999. It is also compared
 * with the timestamp of the record: it must not lie further ahead than `aheadMax`, if given, and must not be a plausible time in
 * seconds, unless `aheadMax` is `none`. The result depends only on the record, so every replay gives the same.
 *
 * @example
 * implausible(1_700_000_000, 1_700_000_000_000, days(1)); // 'event time is 1700000000, decades before the log's timestamp: seconds? ...'
 */
export function implausible(
  timeMs: number,
  timestampMs: number,
  aheadMax: number | 'none' | undefined,
): string | undefined {
  // Of nearly all records, at the cost of three comparisons.
  if (timeMs > SECONDS_TO && timeMs <= timestampMs && timestampMs <= LAST_MS) return undefined;
  if (timeMs < FIRST_MS) return `event time is ${timeMs}, before 1970`;
  if (timeMs > LAST_MS) return `event time is ${timeMs}, after the year 9999${finerUnit(timeMs)}`;
  if (aheadMax === 'none' || timestampMs < CLOCKS_FROM_MS) return undefined;
  if (aheadMax !== undefined && timeMs > timestampMs + aheadMax)
    return `event time is ${isoTime(timeMs)}, more than aheadMax ahead of the log's timestamp ${isoTime(timestampMs)}`;
  if (timeMs >= SECONDS_FROM && timeMs * 1_000 <= timestampMs + DAY_MS)
    return `event time is ${timeMs}, decades before the log's timestamp: seconds? give milliseconds since 1970`;
  return undefined;
}

/** The time of a record without a plausible one: the nearest that can be written as a date. */
export const within1970And9999 = (timeMs: number): number =>
  timeMs >= FIRST_MS && timeMs <= LAST_MS ? timeMs : timeMs > LAST_MS ? LAST_MS : FIRST_MS;

function finerUnit(timeMs: number): string {
  if (timeMs / 1_000 <= LAST_MS) return ': microseconds? give milliseconds since 1970';
  return timeMs / 1_000_000 <= LAST_MS ? ': nanoseconds? give milliseconds since 1970' : '';
}
