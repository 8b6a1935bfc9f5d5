import { getOrInsert } from '../../src/util/maps.js';

const hourMs = 3_600_000;
const dayMs = 86_400_000;

/**
 * The offset from UTC, in minutes, at a moment given in a zone's local time.
 *
 * A local time that occurs twice (clocks go back) is taken as the first of the two; one that does not occur (clocks go
 * forward) is read with the offset before the change: the rule that ECMAScript's Temporal calls "compatible". Offsets
 * are remembered by the hour, since no zone of the data changes within one. Memory: a few numbers for each local hour
 * asked about.
 *
 * @example
 * const offset = offsetsOf('America/New_York');
 * offset(Date.UTC(2001, 0, 1, 8)); // -300
 */
export function offsetsOf(zone: string): (localMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset', hour: 'numeric' });
  const inUtc = new Map<number, number>();
  const inLocal = new Map<number, number>();

  const atUtcHour = (hour: number): number => getOrInsert(inUtc, hour, () => parseOffset(format, hour * hourMs));
  const resolve = (localMs: number): number => {
    const before = atUtcHour(Math.floor((localMs - dayMs) / hourMs));
    const after = atUtcHour(Math.floor((localMs + dayMs) / hourMs));
    const occurs = (offset: number) => atUtcHour(Math.floor((localMs - offset * 60_000) / hourMs)) === offset;
    return !occurs(before) && occurs(after) ? after : before;
  };

  return (localMs) => {
    const hour = Math.floor(localMs / hourMs);
    return getOrInsert(inLocal, hour, () => resolve(hour * hourMs));
  };
}

/** `GMT-05:00` as -300. */
function parseOffset(format: Intl.DateTimeFormat, utcMs: number): number {
  const text = format.formatToParts(utcMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(text);
  if (!match) throw new RangeError(`unexpected offset ${text}`);
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}
