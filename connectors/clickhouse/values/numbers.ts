import type { ValueType } from './value-type.js';

/** A longer text is not a number of any ClickHouse type: 2^256 has 78 digits. */
const DIGITS_MAX = 80;
const WHOLE = /^-?\d+$/;
const FLOAT32_MAX = 2 ** 128 - 2 ** 103; // numbers nearer to 2^128 become infinite

/** `Int8` to `UInt256`. Types of 64 bits and more also take whole numbers as text, as queries return them. */
export function integer(bits: number, signed: boolean): ValueType {
  return bits <= 32 ? small(bits, signed) : large(bits, signed);
}

function small(bits: number, signed: boolean): ValueType {
  const min = signed ? -(2 ** (bits - 1)) : 0;
  const max = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return {
    fits: (value) =>
      typeof value === 'number'
        ? value >= min && value <= max && Number.isInteger(value)
        : typeof value === 'boolean' || (typeof value === 'bigint' && value >= min && value <= max),
    write: (value) => (typeof value === 'boolean' ? (value ? '1' : '0') : String(value)),
  };
}

function large(bits: number, signed: boolean): ValueType {
  const wide = BigInt(bits);
  const min = signed ? -(1n << (wide - 1n)) : 0n;
  const max = signed ? (1n << (wide - 1n)) - 1n : (1n << wide) - 1n;
  const holds = (value: bigint) => value >= min && value <= max;
  return {
    fits: (value) => {
      switch (typeof value) {
        case 'number':
          return Number.isSafeInteger(value) ? signed || value >= 0 : Number.isInteger(value) && holds(BigInt(value));
        case 'bigint':
          return holds(value);
        case 'string':
          return value.length <= DIGITS_MAX && WHOLE.test(value) && holds(BigInt(value));
        default:
          return typeof value === 'boolean';
      }
    },
    write: (value) =>
      Number.isSafeInteger(value) ? String(value) : BigInt(value as number | bigint | string).toString(),
  };
}

/** `Float64`, and `Float32`, which rounds to its precision. A number that would become infinite does not fit. */
export const float = (bits: 32 | 64): ValueType => ({
  fits: (value) =>
    typeof value === 'number'
      ? bits === 64 || Math.abs(value) < FLOAT32_MAX || !Number.isFinite(value)
      : typeof value === 'bigint' && Number.isSafeInteger(Number(value)),
  write: (value) => {
    const number = Number(value);
    if (Number.isFinite(number)) return Object.is(number, -0) ? '-0' : String(number);
    return Number.isNaN(number) ? '"nan"' : number > 0 ? '"inf"' : '"-inf"';
  },
});

export const bool: ValueType = {
  fits: (value) => typeof value === 'boolean' || value === 0 || value === 1,
  write: (value) => (value ? 'true' : 'false'),
};

/** Longer texts fit no type unless they have needless zeros, and removing zeros takes quadratic time. */
const DECIMAL_LENGTH_MAX = 400;
const DECIMAL = /^-?(\d+)(?:\.(\d+))?$/;

/** `Decimal`: from text, and from numbers by their shortest text. Nothing is rounded: 0.1 + 0.2 does not fit two digits. */
export function decimal(precision: number, scale: number): ValueType {
  const digitsMax = precision - scale;
  return {
    fits: (value) => {
      const text = decimalText(value);
      if (text.length > DECIMAL_LENGTH_MAX) return false;
      const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
      if (whole === undefined) return false;
      return whole.replace(/^0+/, '').length <= digitsMax && fraction.replace(/0+$/, '').length <= scale;
    },
    write: (value) => `"${decimalText(value)}"`,
  };
}

const decimalText = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' ? withoutExponent(String(value)) : '';
};

/** Writes `1.5e-7` as `0.00000015`. */
function withoutExponent(text: string): string {
  const [, sign = '', whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  return point <= 0
    ? `${sign}0.${'0'.repeat(-point)}${digits}`
    : `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`;
}
