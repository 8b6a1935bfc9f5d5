import type { SchemaText } from '../../core/schema.js';
import type { AvroPrimitive, AvroRecord, AvroType, Logical } from '../avro/avro-type.js';
import { parseAvro } from '../avro/parse.js';
import type { AvroValues } from '../avro/values.js';
import { type Field, JSON_VALUE, orNull, type Shape } from './shape.js';

const primitives: Readonly<Record<AvroPrimitive['kind'], Shape>> = {
  null: orNull(JSON_VALUE),
  boolean: { kind: 'boolean' },
  int: { kind: 'integer', bits: 32, signed: true },
  long: { kind: 'integer', bits: 64, signed: true },
  float: { kind: 'float', bits: 32 },
  double: { kind: 'float', bits: 64 },
  bytes: { kind: 'bytes' },
  string: { kind: 'text' },
};

/** The fields of an Avro record; `undefined` if the schema is not a record. */
export function avroFields(schema: SchemaText, { timestamp = 'number' }: AvroValues): readonly Field[] | undefined {
  const fieldsOf = (record: AvroRecord, within: readonly AvroRecord[]): Field[] =>
    record.fields.map(({ name, type, default: fallback }) => ({
      name,
      shape: shapeOf(type, [...within, record]),
      ...(fallback === undefined ? {} : { default: fallback }),
    }));

  const shapeOf = (type: AvroType, within: readonly AvroRecord[]): Shape => {
    switch (type.kind) {
      case 'array':
        return { kind: 'list', items: shapeOf(type.items, within) };
      case 'map':
        return { kind: 'map', keys: { kind: 'text' }, values: shapeOf(type.values, within) };
      case 'enum':
        return { kind: 'word' };
      case 'record':
        return within.includes(type) ? JSON_VALUE : { kind: 'record', fields: fieldsOf(type, within) };
      case 'union': {
        const [first, ...others] = type.branches.filter(({ kind }) => kind !== 'null');
        const one = first === undefined || others.length > 0 ? JSON_VALUE : shapeOf(first, within);
        return type.branches.some(({ kind }) => kind === 'null') ? orNull(one) : one;
      }
      case 'fixed':
        return logicalShape(type.logical) ?? { kind: 'bytes' };
      default:
        return logicalShape(type.logical) ?? primitives[type.kind];
    }
  };

  const logicalShape = (logical: Logical | undefined): Shape | undefined => {
    if (logical === undefined) return undefined;
    const { name } = logical;
    if (name === 'decimal') return { kind: name, precision: logical.precision, scale: logical.scale };
    return name === 'date' ? { kind: 'day', counted: timestamp === 'number' } : { kind: 'time', unit: logical.unit };
  };

  const parsed = parseAvro(schema);
  return parsed.kind === 'record' ? fieldsOf(parsed, []) : undefined;
}
