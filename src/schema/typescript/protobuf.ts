import protobufjs from 'protobufjs';
import { MillraceError } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import { type FieldShape, fieldsOf, isOpen } from '../protobuf/fields.js';
import { indexPaths, loadRoot } from '../protobuf/load.js';
import type { ProtobufValues } from '../protobuf/values.js';
import { arrayOf, type Declaration, freeName, literals, mapOf, typeName } from './lines.js';

/** The types of all messages of a file, or of one message and those that it contains. */
export function protobufTypes(schema: SchemaText, values: ProtobufValues, message: string | undefined): Declaration[] {
  const root = loadRoot(schema);
  const messages = [...indexPaths(schema.text).values()];
  if (message !== undefined && !messages.includes(message)) {
    throw new MillraceError('schema', `there is no message ${message}`, { hint: `there are ${messages.join(', ')}` });
  }
  const names = new Map<protobufjs.Type, string>();
  const declared: Declaration[] = [];

  const interfaceOf = (type: protobufjs.Type): string => {
    const known = names.get(type);
    if (known !== undefined) return known;
    const parent = type.parent instanceof protobufjs.Type ? typeName(type.parent.name) : '';
    const name = freeName([`${parent}${typeName(type.name)}`, typeName(type.fullName)], names);
    names.set(type, name); // before its fields, which may be of this type
    const at = declared.push({ name, members: [] }) - 1;
    const shapes = fieldsOf(type, values);
    const members = shapes.map((field, i) => {
      const declaredField = type.fieldsArray[i] as protobufjs.Field;
      return { name: field.name, type: fieldType(field, declaredField), doc: declaredField.comment ?? undefined };
    });
    declared[at] = { name, doc: type.comment ?? undefined, members };
    return name;
  };

  const fieldType = (field: FieldShape, declaredField: protobufjs.Field): string => {
    const one = valueType(field, declaredField);
    if (field.kind === 'repeated') return arrayOf(one);
    if (field.kind === 'map') return mapOf(one);
    return field.presence && !field.required && one !== 'unknown' ? `${one} | null` : one;
  };

  const valueType = ({ value }: FieldShape, { resolvedType, type }: protobufjs.Field): string => {
    if (value instanceof protobufjs.Type) return wellKnownType(value, values) ?? interfaceOf(value);
    if (resolvedType instanceof protobufjs.Enum) {
      const named = literals(Object.keys(resolvedType.values));
      return isOpen(resolvedType) ? `${named} | number` : named;
    }
    return scalarType(type, values);
  };

  for (const name of message === undefined ? messages : [message]) interfaceOf(root.lookupType(name));
  return declared;
}

function scalarType(type: string, { long }: ProtobufValues): string {
  if (type === 'string') return 'string';
  if (type === 'bool') return 'boolean';
  if (type === 'bytes') return 'Uint8Array';
  return type.endsWith('64') && long === 'bigint' ? 'bigint' : 'number';
}

function wellKnownType(type: protobufjs.Type, values: ProtobufValues): string | undefined {
  switch (type.fullName) {
    case '.google.protobuf.Timestamp':
      return values.timestamp === 'number' ? 'number' : 'Date';
    case '.google.protobuf.Value':
      return 'unknown';
    case '.google.protobuf.Struct':
      return mapOf('unknown');
    case '.google.protobuf.ListValue':
      return arrayOf('unknown');
    default: {
      const [, wrapped] = /^\.google\.protobuf\.(\w+)Value$/.exec(type.fullName) ?? [];
      return wrapped === undefined ? undefined : scalarType(wrapped.toLowerCase(), values);
    }
  }
}
