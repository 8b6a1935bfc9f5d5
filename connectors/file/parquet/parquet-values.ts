import type { FileMetaData, ParquetParsers, SchemaElement } from 'hyparquet';
import { MillraceError } from '../../../src/core/errors.js';

// Parquet values in the forms of JSON, without loss: a number that is not exact becomes a string.

/** A time is a `Date` if that holds all its digits, otherwise an ISO 8601 string; dates are strings. */
export const parsers = {
  timestampFromMilliseconds: (ms: bigint) => timeOf(Number(ms)),
  timestampFromMicroseconds: (us: bigint) =>
    us % 1_000n === 0n ? timeOf(Number(us / 1_000n)) : timeText(us, 1_000_000n),
  timestampFromNanoseconds: (ns: bigint) =>
    ns % 1_000_000n === 0n ? timeOf(Number(ns / 1_000_000n)) : timeText(ns, 1_000_000_000n),
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().replace(/T.*/, ''),
  stringFromBytes: (bytes: Uint8Array) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
} satisfies Partial<ParquetParsers>;

function timeOf(ms: number): Date {
  const time = new Date(ms);
  if (Number.isNaN(time.getTime())) throw new RangeError(`${ms} ms from 1970 is not a time`);
  return time;
}

function timeText(ticks: bigint, perSecond: bigint): string {
  const fraction = ((ticks % perSecond) + perSecond) % perSecond;
  const second = new Date(Number((ticks - fraction) / perSecond) * 1_000).toISOString().slice(0, -5);
  const digits = String(fraction + perSecond).slice(1);
  return `${second}.${digits.slice(0, 3)}${digits.slice(3).replace(/0+$/, '')}Z`;
}

/**
 * A value in a form of JSON: whole numbers beyond 2^53 and times are strings, bytes are Base64, also within lists and structures.
 */
export function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(asJson);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asJson(each)]));
}

/** Converts the stored value of a cell. */
export type Cell = (raw: unknown) => unknown;

/** A column that the library would not decode exactly. */
export interface Taken {
  readonly cell: Cell;
  /** For a column of times. */
  readonly ticksPerMs?: number;
}

/**
 * Decodes some columns without the library: decimals, which it computes as floats, and times, for which it creates objects.
 * `metadata` is changed so that their stored values are returned. By column name.
 *
 * @throws MillraceError `source` for decimals within lists or structures.
 */
export function takeColumns({ schema }: FileMetaData, path: string): ReadonlyMap<string, Taken> {
  const columns = new Map<string, Taken>();
  let column = '';
  let depth = 0;
  const left: number[] = [];
  for (const element of schema) {
    if (depth === 1) column = element.name;
    const isDecimal = element.converted_type === 'DECIMAL';
    if (isDecimal && depth > 1) throw nested(column, path);
    const taken = isDecimal ? decimals(element) : depth === 1 ? times(element) : undefined;
    if (taken !== undefined) {
      columns.set(column, taken);
      delete element.converted_type;
      delete element.logical_type;
    }
    if (depth > 0) left[depth - 1] = (left[depth - 1] ?? 0) - 1;
    if (element.num_children) {
      left[depth] = element.num_children;
      depth += 1;
    }
    while (depth > 0 && left[depth - 1] === 0) depth -= 1;
  }
  return columns;
}

const decimals = ({ scale = 0 }: SchemaElement): Taken => ({ cell: present((raw) => decimalOf(raw, scale)) });

const { timestampFromMilliseconds, timestampFromMicroseconds, timestampFromNanoseconds } = parsers;
const units = {
  MILLIS: { cell: present(timestampFromMilliseconds), ticksPerMs: 1 },
  MICROS: { cell: present(timestampFromMicroseconds), ticksPerMs: 1_000 },
  NANOS: { cell: present(timestampFromNanoseconds), ticksPerMs: 1_000_000 },
} as const satisfies Record<string, Taken>;

function times({ type, repetition_type, converted_type, logical_type }: SchemaElement): Taken | undefined {
  if (type !== 'INT64' || repetition_type === 'REPEATED') return undefined;
  if (logical_type?.type === 'TIMESTAMP') return units[logical_type.unit];
  if (converted_type === 'TIMESTAMP_MILLIS') return units.MILLIS;
  return converted_type === 'TIMESTAMP_MICROS' ? units.MICROS : undefined;
}

/** Keeps missing values. */
function present<T>(cell: (raw: T) => unknown): Cell {
  return (raw) => (raw === null || raw === undefined ? null : cell(raw as T));
}

/** A number if it is exact, otherwise a string. */
function decimalOf(raw: unknown, scale: number): number | string {
  const unscaled = raw instanceof Uint8Array ? signed(raw) : BigInt(raw as number | bigint);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const text = `${unscaled < 0n ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
  return Number.isSafeInteger(Number(unscaled)) ? Number(text) : text;
}

/** Two's complement, big-endian. */
const signed = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));

const nested = (column: string, path: string): MillraceError =>
  new MillraceError('source', `decimals in lists or structures cannot be read: column ${column}`, {
    where: path,
    hint: 'write them as separate columns, or as text',
    permanent: true,
  });
