import { DecodeFailure } from '../failures.js';
import type { AvroType, AvroUnion, Logical } from './avro-type.js';

/** The JavaScript types of Avro's types, where there is a choice. */
export interface AvroValues {
  /**
   * A `long` (without a logical type): a `number`, which fails from 2^53 instead of becoming another number, or a `bigint`, which
   * is always exact. `number` by default.
   */
  readonly long?: 'number' | 'bigint';
  /**
   * A `timestamp-millis` or `-micros`, also local ones, and a `date`: the `number` in the payload, in the unit of the schema, or a
   * `Date`. A `Date` has no microseconds, so they are truncated. `number` by default.
   */
  readonly timestamp?: 'number' | 'date';
}

export const DAY_MS = 86_400_000;

/** The JavaScript types of values: a union whose branches differ in this needs no wrappers. */
export type Bucket = 'null' | 'boolean' | 'number' | 'bigint' | 'string' | 'bytes' | 'array' | 'date' | 'object';

export function bucketOf(type: Exclude<AvroType, AvroUnion>, values: AvroValues): Bucket {
  const logical = 'logical' in type ? type.logical : undefined;
  switch (type.kind) {
    case 'null':
    case 'boolean':
    case 'array':
      return type.kind;
    case 'int':
    case 'float':
    case 'double':
      return isDate(logical, values) ? 'date' : 'number';
    case 'long':
      if (logical !== undefined) return isDate(logical, values) ? 'date' : 'number';
      return values.long === 'bigint' ? 'bigint' : 'number';
    case 'bytes':
    case 'fixed':
      return logical?.name === 'decimal' ? 'string' : 'bytes';
    case 'string':
    case 'enum':
      return 'string';
    default:
      return 'object';
  }
}

export const isDate = (logical: Logical | undefined, values: AvroValues): boolean =>
  values.timestamp === 'date' && (logical?.name === 'timestamp' || logical?.name === 'date');

/** Whether a union's values are wrapped in the name of their branch, because their own type does not identify it. */
export function isWrapped({ branches }: AvroUnion, values: AvroValues): boolean {
  const buckets = branches.map((branch) => bucketOf(branch as Exclude<AvroType, AvroUnion>, values));
  return new Set(buckets).size < buckets.length;
}

export function bucketOfValue(value: unknown): Bucket | undefined {
  if (value === null) return 'null';
  if (typeof value !== 'object') return scalars.find((name) => name === typeof value);
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Date) return 'date';
  return Array.isArray(value) ? 'array' : 'object';
}

const scalars = ['boolean', 'number', 'bigint', 'string'] as const;

/** Returns a function that creates the default of a field, a new one each time if it can be changed. */
export function defaultOf(type: AvroType, json: unknown, values: AvroValues): () => unknown {
  const value = () => fromJson(type, json, values);
  const once = value();
  return typeof once === 'object' && once !== null ? value : () => once;
}

/** The default of a union belongs to its first branch; `avsc` refuses others. */
function fromJson(type: AvroType, json: unknown, values: AvroValues): unknown {
  switch (type.kind) {
    case 'union': {
      const branch = type.branches[0] as AvroType;
      const value = fromJson(branch, json, values);
      if (value === null || !isWrapped(type, values)) return value;
      return { ['name' in branch ? branch.name : branch.kind]: value };
    }
    case 'int':
    case 'long':
      if (isDate(type.logical, values)) return new Date(millisOf(type.logical as Logical, Number(json)));
      return type.logical === undefined && type.kind === 'long' && values.long === 'bigint'
        ? BigInt(json as number)
        : Number(json);
    case 'bytes':
    case 'fixed': {
      const bytes = Buffer.from(String(json), 'latin1');
      return type.logical?.name === 'decimal' ? decimalOf(bytes, type.logical) : bytes;
    }
    case 'array':
      return (json as unknown[]).map((item) => fromJson(type.items, item, values));
    case 'map':
      return Object.fromEntries(
        Object.entries(json as object).map(([key, value]) => [key, fromJson(type.values, value, values)]),
      );
    case 'record':
      return Object.fromEntries(
        type.fields.map((field) => {
          const given = (json as Readonly<Record<string, unknown>>)[field.name];
          return [field.name, fromJson(field.type, given === undefined ? field.default : given, values)];
        }),
      );
    default:
      return json;
  }
}

/** Milliseconds since 1970 of a stored timestamp or date. */
export const millisOf = (logical: Logical, stored: number): number => {
  if (logical.name === 'date') return stored * DAY_MS;
  return logical.name === 'timestamp' && logical.unit === 'micros' ? Math.floor(stored / 1_000) : stored;
};

/** The decimal of an unscaled two's complement integer, big-endian; as text, since no number type of JavaScript is exact. */
export function decimalOf(bytes: Uint8Array, { precision, scale }: { precision: number; scale: number }): string {
  const negative = bytes.length > 0 && (bytes[0] as number) >= 0x80;
  // A `fixed` may be far longer than its digits need: leading bytes that repeat the sign are skipped.
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === (negative ? 0xff : 0)) from++;
  if (bytes.length - from > Math.ceil((precision * Math.log2(10) + 1) / 8)) throw tooPrecise(precision);
  let unscaled = negative ? -1n : 0n;
  for (let i = from; i < bytes.length; i++) unscaled = (unscaled << 8n) | BigInt(bytes[i] as number);
  const digits = (negative ? -unscaled : unscaled).toString();
  if (digits.length > precision) throw tooPrecise(precision);
  const padded = digits.padStart(scale + 1, '0');
  const whole = padded.slice(0, padded.length - scale);
  return `${negative ? '-' : ''}${whole}${scale > 0 ? `.${padded.slice(-scale)}` : ''}`;
}

const tooPrecise = (precision: number): DecodeFailure =>
  new DecodeFailure('out-of-range', `a decimal of more than ${precision} digits`);

/** The unscaled two's complement of a decimal text, as short as possible; `undefined` if it does not fit. */
export function unscaledOf(
  text: string,
  { precision, scale }: { precision: number; scale: number },
): Uint8Array | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > scale || whole.length > precision + 1_000) return undefined;
  const digits = (whole + kept.padEnd(scale, '0')).replace(/^0+(?=\d)/, '');
  if (digits.length > precision) return undefined;
  let rest = sign === '-' ? -BigInt(digits) : BigInt(digits);
  const bytes: number[] = [];
  do {
    bytes.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (!((rest === 0n && (bytes[0] as number) < 0x80) || (rest === -1n && (bytes[0] as number) >= 0x80)));
  return Uint8Array.from(bytes);
}
