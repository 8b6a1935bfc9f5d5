import type { SchemaText } from '../../../src/core/schema.js';
import type { AvroPrimitive, AvroRecord, AvroType, Logical } from '../../../src/schema/avro/avro-type.js';
import { parseAvro } from '../../../src/schema/avro/parse.js';
import type { AvroValues } from '../../../src/schema/avro/values.js';
import { arrayOf, type Derived, JSON_TEXT, mapOf, orNull, tupleOf, WORD } from './derived.js';

const DECIMAL_DIGITS_MAX = 76;

const primitives: Readonly<Record<AvroPrimitive['kind'], string>> = {
  null: 'Nullable(String)',
  boolean: 'Bool',
  int: 'Int32',
  long: 'Int64',
  float: 'Float32',
  double: 'Float64',
  bytes: 'String',
  string: 'String',
};

/** The columns of an Avro record; nothing where the schema is no record. */
export function avroColumns(
  schema: SchemaText,
  { timestamp = 'number' }: AvroValues,
): Record<string, Derived> | undefined {
  const parsed = parseAvro(schema);

  const typeOf = (type: AvroType, within: readonly AvroRecord[]): Derived => {
    switch (type.kind) {
      case 'array':
        return arrayOf(typeOf(type.items, within));
      case 'map':
        return mapOf(typeOf(type.values, within));
      case 'enum':
        return WORD;
      case 'record':
        if (within.includes(type)) return JSON_TEXT;
        return tupleOf(type.fields.map(({ name, type: inner }) => [name, typeOf(inner, [...within, type])]));
      case 'union': {
        const [first, ...others] = type.branches.filter(({ kind }) => kind !== 'null');
        const one = first === undefined || others.length > 0 ? JSON_TEXT : typeOf(first, within);
        return type.branches.some(({ kind }) => kind === 'null') ? orNull(one) : one;
      }
      case 'fixed':
        return logicalType(type.logical) ?? { type: 'String' };
      default:
        return logicalType(type.logical) ?? { type: primitives[type.kind] };
    }
  };

  const logicalType = (logical: Logical | undefined): Derived | undefined => {
    if (logical === undefined) return undefined;
    if (logical.name === 'decimal') {
      const { precision, scale } = logical;
      return { type: precision > DECIMAL_DIGITS_MAX ? 'String' : `Decimal(${precision}, ${scale})` };
    }
    const counted = timestamp === 'number';
    if (logical.name === 'date') return { type: 'Date32', unit: counted ? 'days' : undefined };
    const micros = logical.unit === 'micros';
    return { type: `DateTime64(${micros ? 6 : 3})`, unit: counted && micros ? 'micros' : undefined };
  };

  if (parsed.kind !== 'record') return undefined;
  return Object.fromEntries(parsed.fields.map(({ name, type }) => [name, typeOf(type, [parsed])]));
}
