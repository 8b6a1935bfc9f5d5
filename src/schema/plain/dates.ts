/** Which of the two numbers before the year is the day: nobody can tell 03/04/2026 by itself. */
export type DateOrder = 'dmy' | 'mdy';

const WRITTEN =
  /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:(?:, ?|[ T])(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(?: ?([ap])m)?)?$/i;

/** Whether a text is a date as people write it: 31.12.2026, 12/31/2026 11:59 PM. */
export const isWrittenDate = (text: string): boolean => WRITTEN.test(text);

/**
 * The time of a date as people write it, in UTC; `undefined` where there is no such day.
 *
 * @example
 * writtenDate('31.12.2026 23:59', 'dmy'); // 2026-12-31T23:59:00.000Z
 */
export function writtenDate(text: string, order: DateOrder): Date | undefined {
  const [, first, , second, year, hour = '0', minute = '0', seconds = '0', fraction = '', half] =
    WRITTEN.exec(text) ?? [];
  const [day, month] = (order === 'dmy' ? [first, second] : [second, first]).map(Number);
  if (day === undefined || month === undefined) return undefined;
  const of12 = Number(hour) % 12;
  const hours = half === undefined ? Number(hour) : half.toLowerCase() === 'p' ? of12 + 12 : of12;
  const date = new Date(
    Date.UTC(Number(year), month - 1, day, hours, Number(minute), Number(seconds), Number(fraction.padEnd(3, '0'))),
  );
  // JavaScript takes the 30th of February for the 1st of March, and 24 hours for the next day.
  return date.getUTCDate() === day && date.getUTCMonth() === month - 1 ? date : undefined;
}

/** The order that some dates are written in; `undefined` where each of them could be either, or none fits all. */
export function orderOf(texts: readonly string[]): DateOrder | undefined {
  const fits = (order: DateOrder) => texts.every((text) => writtenDate(text, order) !== undefined);
  const [dmy, mdy] = [fits('dmy'), fits('mdy')];
  // Only days stand before a dot.
  if (dmy && (!mdy || texts.some((text) => text.includes('.')))) return 'dmy';
  return mdy && !dmy ? 'mdy' : undefined;
}
