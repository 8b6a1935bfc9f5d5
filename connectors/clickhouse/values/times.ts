import type { ValueType } from './value-type.js';

/** The unit of a number since 1970 that is written as a time. A `bigint` always counts microseconds. */
export type TimeUnit = 'millis' | 'micros' | 'days';

const DAY_MS = 86_400_000;
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const BEHIND_MS = Date.UTC(2300, 0, 1);
/** A column of nanoseconds counts them in 64 bits: until the 11th of April 2262. */
const NANOS_BEHIND_MS = 9_223_372_036_854;

/** The milliseconds of a time, with a fraction if a number has one; `NaN` if it is not a time. */
function millisOf(value: unknown, unit: TimeUnit): number {
  if (typeof value === 'number') return unit === 'millis' ? value : unit === 'micros' ? value / 1_000 : value * DAY_MS;
  if (value instanceof Date) return value.getTime();
  return typeof value === 'bigint' ? Number(cutOff(value, 1_000n)) : Number.NaN;
}

/** Integer division that rounds down, before 1970 too. */
const cutOff = (value: bigint, size: bigint): bigint => (value - (((value % size) + size) % size)) / size;

const within =
  (unit: TimeUnit, from: number, behind: number): ValueType['fits'] =>
  (value) => {
    const ms = millisOf(value, unit);
    return ms >= from && ms < behind;
  };

/** `DateTime64`: written as ticks, since ClickHouse does not parse decimal seconds. Digits below a tick are truncated. */
export function dateTime64(precision: number, unit: TimeUnit): ValueType {
  return {
    fits: within(unit, EARLIEST_MS, precision === 9 ? NANOS_BEHIND_MS : BEHIND_MS),
    write: (value) => {
      if (typeof value === 'bigint') return ticks(value, precision);
      if (unit === 'micros' && typeof value === 'number') return shifted(Math.floor(value), precision - 6);
      return shifted(Math.floor(millisOf(value, unit)), precision - 3);
    },
  };
}

/** A whole number times a power of ten, truncated. */
function shifted(whole: number, places: number): string {
  if (places === 0 || whole === 0) return whole === 0 ? '0' : String(whole);
  return places > 0 ? `${whole}${'0'.repeat(places)}` : String(Math.floor(whole / 10 ** -places));
}

function ticks(micros: bigint, precision: number): string {
  if (precision >= 6) return String(micros * 10n ** BigInt(precision - 6));
  return String(cutOff(micros, 10n ** BigInt(6 - precision)));
}

/** `DateTime`: whole seconds from 1970 to 2106. */
export const dateTime = (unit: TimeUnit): ValueType => ({
  fits: within(unit, 0, 2 ** 32 * 1_000),
  write: (value) => String(Math.floor(millisOf(value, unit) / 1_000)),
});

/** `Date` and `Date32`: the day (UTC) of a time. */
export const date = (unit: TimeUnit, wide: boolean): ValueType => ({
  fits: within(unit, wide ? EARLIEST_MS : 0, wide ? BEHIND_MS : Date.UTC(2149, 5, 7)),
  write: (value) => `"${new Date(millisOf(value, unit)).toISOString().slice(0, 10)}"`,
});
