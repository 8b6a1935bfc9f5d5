import type { Field, Shape } from '../../../src/schema/shape/index.js';
import type { TimeUnit } from '../values/index.js';
import type { Columns } from './canonical.js';
import { type Defaults, quotedText } from './layout.js';
import type { Units } from './rows.js';
import { quotedName } from './type-text.js';

/** A column's type, and the unit of its numbers if it is a time. */
export interface ColumnType {
  readonly type: string;
  readonly unit?: TimeUnit | undefined;
}

const JSON_TEXT: ColumnType = { type: 'String' };
const DECIMAL_DIGITS_MAX = 76;

/**
 * The columns for records of these fields, with types that hold all possible values.
 *
 * Lists, maps and records are not nullable in ClickHouse: if they may be missing they are stored as JSON text, and so is what has
 * no type of its own. Enums are `LowCardinality(String)`, since an `Enum` would refuse a name that the next version adds.
 *
 * @example
 * schemaColumns([{ name: 'late', shape: { kind: 'nullable', inner: { kind: 'float', bits: 64 } } }]); // Nullable(Float64)
 */
export function schemaColumns(fields: readonly Field[]): { columns: Columns; units: Units; defaults: Defaults } {
  const derived = fields.map(({ name, shape }) => ({ name, ...columnTypeOf(shape) }));
  return {
    columns: Object.fromEntries(derived.map(({ name, type }) => [name, type])),
    units: Object.fromEntries(derived.flatMap(({ name, unit }) => (unit === undefined ? [] : [[name, unit]]))),
    defaults: Object.fromEntries(
      fields.flatMap(({ name, shape, default: value }) => {
        const literal = literalOf(shape, value);
        return literal === undefined ? [] : [[name, literal]];
      }),
    ),
  };
}

/** A default as SQL; undefined if it equals ClickHouse's own or is not a plain value. */
function literalOf(shape: Shape, value: unknown): string | undefined {
  switch (shape.kind) {
    case 'nullable':
      return value === null ? undefined : literalOf(shape.inner, value);
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'text':
    case 'word':
      return typeof value === 'string' ? quotedText(value) : undefined;
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
    case 'time':
      return typeof value === 'number' && Number.isSafeInteger(value) ? timeOf(value, shape.unit) : undefined;
    default:
      return undefined;
  }
}

const timeOf = (value: number, unit: 'millis' | 'micros'): string =>
  `fromUnixTimestamp64${unit === 'millis' ? 'Milli' : 'Micro'}(toInt64(${value}), 'UTC')`;

/** The type that holds all possible values of a field. */
export function columnTypeOf(shape: Shape): ColumnType {
  switch (shape.kind) {
    case 'boolean':
      return { type: 'Bool' };
    case 'word':
      return { type: 'LowCardinality(String)' };
    case 'integer':
      return { type: `${shape.signed ? '' : 'U'}Int${shape.bits}` };
    case 'float':
      return { type: `Float${shape.bits}` };
    case 'decimal':
      if (shape.precision > DECIMAL_DIGITS_MAX) return { type: 'String' };
      return { type: `Decimal(${shape.precision}, ${shape.scale})` };
    case 'time':
      return shape.unit === 'micros'
        ? { type: 'DateTime64(6)', unit: 'micros' }
        : { type: 'DateTime64(3)', unit: 'millis' };
    case 'day':
      return { type: 'Date32', unit: shape.counted ? 'days' : 'millis' };
    case 'list': {
      const { type, unit } = columnTypeOf(shape.items);
      return { type: `Array(${type})`, unit };
    }
    case 'map': {
      const { type, unit } = columnTypeOf(shape.values);
      return { type: `Map(${columnTypeOf(shape.keys).type}, ${type})`, unit };
    }
    case 'record':
      return tupleOf(shape.fields);
    case 'nullable':
      return orNull(columnTypeOf(shape.inner));
    default:
      return JSON_TEXT; // text, bytes and JSON
  }
}

function orNull({ type, unit }: ColumnType): ColumnType {
  if (/^(Array|Map|Tuple)\(/.test(type)) return { type: 'Nullable(String)' };
  const [, inner] = /^LowCardinality\((.*)\)$/.exec(type) ?? [];
  return { type: inner === undefined ? `Nullable(${type})` : `LowCardinality(Nullable(${inner}))`, unit };
}

/** A record inside a record. All times of one column need the same unit; otherwise it is stored as JSON text. */
function tupleOf(fields: readonly Field[]): ColumnType {
  const derived = fields.map(({ name, shape }) => ({ name, ...columnTypeOf(shape) }));
  const units = new Set(derived.flatMap(({ unit }) => unit ?? []));
  if (fields.length === 0 || units.size > 1) return JSON_TEXT;
  const [unit] = units;
  return { type: `Tuple(${derived.map(({ name, type }) => `${quotedName(name)} ${type}`).join(', ')})`, unit };
}
