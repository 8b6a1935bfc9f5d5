import protobufjs from 'protobufjs';
import type { SchemaText } from '../../core/schema.js';
import { type FieldShape, fieldsOf } from '../protobuf/fields.js';
import { loadRoot } from '../protobuf/load.js';
import type { ProtobufValues } from '../protobuf/values.js';
import { type Field, JSON_VALUE, orNull, type Shape } from './shape.js';

const scalars: Readonly<Record<string, Shape>> = {
  double: { kind: 'float', bits: 64 },
  float: { kind: 'float', bits: 32 },
  bool: { kind: 'boolean' },
  string: { kind: 'text' },
  bytes: { kind: 'bytes' },
};

function scalarShape(type: string): Shape {
  const bits = type.endsWith('64') ? 64 : 32;
  return scalars[type] ?? { kind: 'integer', bits, signed: !/^(uint|fixed)/.test(type) };
}

/** Well-known types that are not objects in JavaScript, by the end of their name. */
function wellKnown(fullName: string): Shape | undefined {
  const name = /^\.google\.protobuf\.(\w+)$/.exec(fullName)?.[1];
  switch (name) {
    case 'Timestamp':
      return { kind: 'time', unit: 'millis' };
    case 'Value':
    case 'Struct':
    case 'ListValue':
      return JSON_VALUE;
    default: {
      const wrapped = /^(Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value$/.exec(name ?? '')?.[1];
      return wrapped === undefined ? undefined : scalarShape(wrapped.toLowerCase());
    }
  }
}

/** The fields of a Protobuf message. */
export function protobufFields(
  schema: SchemaText,
  values: ProtobufValues & { readonly message: string },
): readonly Field[] {
  const fieldsIn = (type: protobufjs.Type, within: readonly protobufjs.Type[]): Field[] =>
    fieldsOf(type, values).map((field, i) => ({
      name: field.name,
      shape: fieldShape(field, type.fieldsArray[i] as protobufjs.Field, [...within, type]),
    }));

  const fieldShape = (field: FieldShape, declared: protobufjs.Field, within: readonly protobufjs.Type[]): Shape => {
    const one = valueShape(field, declared, within);
    if (field.kind === 'repeated') return { kind: 'list', items: one };
    if (field.kind === 'map') return { kind: 'map', keys: scalarShape(field.keyType ?? 'string'), values: one };
    return field.presence && !field.required ? orNull(one) : one;
  };

  const valueShape = (
    { value }: FieldShape,
    { resolvedType, type }: protobufjs.Field,
    within: readonly protobufjs.Type[],
  ): Shape => {
    if (resolvedType instanceof protobufjs.Enum) return { kind: 'word' };
    if (!(value instanceof protobufjs.Type)) return scalarShape(type);
    const known = wellKnown(value.fullName);
    if (known !== undefined) return known;
    return within.includes(value) ? JSON_VALUE : { kind: 'record', fields: fieldsIn(value, within) };
  };

  return fieldsIn(loadRoot(schema).lookupType(values.message), []);
}
