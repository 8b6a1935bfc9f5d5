import { MillraceError } from '../../src/core/errors.js';

/** Writes one value as it stands in a JSON row. */
export type Encode = (value: unknown) => string;

/**
 * How values of a column are written for `JSONCompactEachRow`.
 *
 * Times are milliseconds since 1970 here, whatever the column's precision: `DateTime64` takes ticks (a decimal number
 * of seconds fails to parse), `DateTime` seconds, `Date` a day. Everything that is no scalar goes as JSON.
 *
 * @throws MillraceError `sink` from the encoder, for a null in a column that takes none and for what is no time.
 */
export function encoderOf(column: string, type: string): Encode {
  const { base, nullable } = unwrap(type);
  const encode = scalar(column, base);
  return (value) => {
    if (value !== null && value !== undefined) return encode(value);
    if (nullable) return 'null';
    throw new MillraceError('sink', `column ${column} got ${String(value)}, and its type ${type} has no place for it`, {
      where: column,
      hint: `make its type Nullable(${base}), or fill the field before the sink`,
    });
  };
}

/** The type without `Nullable` and `LowCardinality` around it. */
function unwrap(type: string): { base: string; nullable: boolean } {
  let base = type.trim();
  let nullable = false;
  for (;;) {
    const match = /^(Nullable|LowCardinality)\s*\((.*)\)$/s.exec(base);
    if (!match) return { base, nullable };
    if (match[1] === 'Nullable') nullable = true;
    base = (match[2] as string).trim();
  }
}

function scalar(column: string, base: string): Encode {
  const name = /^\w+/.exec(base)?.[0] ?? '';
  switch (name) {
    case 'DateTime64':
      return ticks(column, Number(/\(\s*(\d)/.exec(base)?.[1] ?? 3));
    case 'DateTime':
      return (value) => String(clamp(Math.floor(milliseconds(column, value) / 1_000), 0, 2 ** 32 - 1));
    case 'Date':
      return (value) => day(clamp(milliseconds(column, value), 0, Date.UTC(2149, 5, 6)));
    case 'Date32':
      return (value) => day(milliseconds(column, value));
    case 'String':
      return (value) => (typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(asText(value)));
    default:
      return number;
  }
}

function ticks(column: string, precision: number): Encode {
  if (precision === 3) return (value) => String(Math.floor(milliseconds(column, value)));
  if (precision > 3) {
    const zeros = '0'.repeat(precision - 3);
    return (value) => {
      const whole = Math.floor(milliseconds(column, value));
      return whole === 0 ? '0' : `${whole}${zeros}`;
    };
  }
  const divisor = 10 ** (3 - precision);
  return (value) => String(Math.floor(milliseconds(column, value) / divisor));
}

// What `DateTime64` holds: the years 1900 to 2299. A time outside is set to the nearer end, since one absurd time must
// not stop the stream.
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const LATEST_MS = Date.UTC(2299, 11, 31, 23, 59, 59, 999);

function milliseconds(column: string, value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms === 'number' && !Number.isNaN(ms)) return clamp(ms, EARLIEST_MS, LATEST_MS);
  throw new MillraceError('sink', `column ${column} got ${String(value)}, which is no time`, {
    where: column,
    hint: 'times are milliseconds since 1970',
  });
}

const clamp = (value: number, from: number, to: number): number => Math.min(to, Math.max(from, value));

const day = (ms: number): string => `"${new Date(ms).toISOString().slice(0, 10)}"`;

/** Numbers as they are, those that JSON has no words for included. */
function number(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return String(value);
    return Number.isNaN(value) ? '"nan"' : value > 0 ? '"inf"' : '"-inf"';
  }
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'null');
}

const asText = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value as number | bigint | boolean);
