import protobufjs from 'protobufjs';
import type { SchemaText } from '../../../src/core/schema.js';
import { type FieldShape, fieldsOf } from '../../../src/schema/protobuf/fields.js';
import { loadRoot } from '../../../src/schema/protobuf/load.js';
import type { ProtobufValues } from '../../../src/schema/protobuf/values.js';
import { arrayOf, type Derived, JSON_TEXT, mapOf, orNull, tupleOf, WORD } from './derived.js';

const scalars: Readonly<Record<string, string>> = {
  double: 'Float64',
  float: 'Float32',
  int32: 'Int32',
  sint32: 'Int32',
  sfixed32: 'Int32',
  uint32: 'UInt32',
  fixed32: 'UInt32',
  int64: 'Int64',
  sint64: 'Int64',
  sfixed64: 'Int64',
  uint64: 'UInt64',
  fixed64: 'UInt64',
  bool: 'Bool',
  string: 'String',
  bytes: 'String',
};

/** What values of the well-known types are in JavaScript is a time, a value, or JSON. */
const wellKnown: Readonly<Record<string, Derived>> = {
  '.google.protobuf.Timestamp': { type: 'DateTime64(3)' },
  '.google.protobuf.Value': JSON_TEXT,
  '.google.protobuf.Struct': JSON_TEXT,
  '.google.protobuf.ListValue': JSON_TEXT,
  '.google.protobuf.DoubleValue': { type: 'Float64' },
  '.google.protobuf.FloatValue': { type: 'Float32' },
  '.google.protobuf.Int64Value': { type: 'Int64' },
  '.google.protobuf.UInt64Value': { type: 'UInt64' },
  '.google.protobuf.Int32Value': { type: 'Int32' },
  '.google.protobuf.UInt32Value': { type: 'UInt32' },
  '.google.protobuf.BoolValue': { type: 'Bool' },
  '.google.protobuf.StringValue': { type: 'String' },
  '.google.protobuf.BytesValue': { type: 'String' },
};

/** The columns of a Protobuf message. */
export function protobufColumns(
  schema: SchemaText,
  values: ProtobufValues & { readonly message: string },
): Record<string, Derived> {
  const columns = (type: protobufjs.Type, within: readonly protobufjs.Type[]): [string, Derived][] =>
    fieldsOf(type, values).map((shape, i) => [shape.name, fieldType(shape, type.fieldsArray[i], [...within, type])]);

  const fieldType = (
    shape: FieldShape,
    field: protobufjs.Field | undefined,
    within: readonly protobufjs.Type[],
  ): Derived => {
    const one = valueType(shape, field, within);
    if (shape.kind === 'repeated') return arrayOf(one);
    if (shape.kind === 'map') return mapOf(one, scalars[shape.keyType ?? 'string']);
    return shape.presence && !shape.required ? orNull(one) : one;
  };

  const valueType = (
    { value }: FieldShape,
    field: protobufjs.Field | undefined,
    within: readonly protobufjs.Type[],
  ): Derived => {
    if (field?.resolvedType instanceof protobufjs.Enum) return WORD;
    if (!(value instanceof protobufjs.Type)) return { type: scalars[field?.type ?? ''] ?? 'String' };
    return wellKnown[value.fullName] ?? (within.includes(value) ? JSON_TEXT : tupleOf(columns(value, within)));
  };

  return Object.fromEntries(columns(loadRoot(schema).lookupType(values.message), []));
}
