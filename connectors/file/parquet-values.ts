import type { FileMetaData, ParquetParsers } from 'hyparquet';
import { MillraceError } from '../../src/core/errors.js';

// Values of Parquet in the forms that JSON has, without loss: what no number holds exactly is a text.

/** Times are `Date`s where these hold all their digits, otherwise texts of ISO 8601; dates are texts. */
export const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (ms) => timeOf(Number(ms)),
  timestampFromMicroseconds: (us) => (us % 1_000n === 0n ? timeOf(Number(us / 1_000n)) : timeText(us, 1_000_000n)),
  timestampFromNanoseconds: (ns) =>
    ns % 1_000_000n === 0n ? timeOf(Number(ns / 1_000_000n)) : timeText(ns, 1_000_000_000n),
  dateFromDays: (days) => new Date(days * 86_400_000).toISOString().replace(/T.*/, ''),
  stringFromBytes: (bytes) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
};

function timeOf(ms: number): Date {
  const time = new Date(ms);
  if (Number.isNaN(time.getTime())) throw new RangeError(`${ms} ms from 1970 is no time`);
  return time;
}

function timeText(ticks: bigint, perSecond: bigint): string {
  const fraction = ((ticks % perSecond) + perSecond) % perSecond;
  const second = new Date(Number((ticks - fraction) / perSecond) * 1_000).toISOString().slice(0, -5);
  const digits = String(fraction + perSecond).slice(1);
  return `${second}.${digits.slice(0, 3)}${digits.slice(3).replace(/0+$/, '')}Z`;
}

/** A value as JSON has one: whole numbers beyond 2^53 and times are texts, bytes are Base64, also within lists and structures. */
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

/** Makes the value of a cell of what was read. */
export type Cell = (raw: unknown) => unknown;

/**
 * Takes decimals out of the hands of the reader, which multiplies floats: `metadata` is changed so that they come unscaled, and
 * the cells that scale them are given by the name of their column.
 *
 * @throws MillraceError `source` where decimals lie within lists or structures.
 */
export function takeDecimals({ schema }: FileMetaData, path: string): ReadonlyMap<string, Cell> {
  const cells = new Map<string, Cell>();
  let column = '';
  let depth = 0;
  const left: number[] = [];
  for (const element of schema) {
    if (depth === 1) column = element.name;
    if (element.converted_type === 'DECIMAL') {
      if (depth > 1) throw nested(column, path);
      const { scale = 0 } = element;
      cells.set(column, (raw) => (raw === null || raw === undefined ? null : decimalOf(raw, scale)));
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
  return cells;
}

/** A number where it holds all digits, otherwise a text. */
function decimalOf(raw: unknown, scale: number): number | string {
  const unscaled = raw instanceof Uint8Array ? signed(raw) : BigInt(raw as number | bigint);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const text = `${unscaled < 0n ? '-' : ''}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ''}`;
  return Number.isSafeInteger(Number(unscaled)) ? Number(text) : text;
}

/** Two's complement, the highest byte first. */
const signed = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));

const nested = (column: string, path: string): MillraceError =>
  new MillraceError('source', `decimals within lists or structures are not read: column ${column}`, {
    where: path,
    hint: 'write them as columns of their own, or as texts',
    lasting: true,
  });
