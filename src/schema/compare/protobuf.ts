import protobufjs from 'protobufjs';
import type { SchemaText } from '../../core/schema.js';
import { loadRoot } from '../protobuf/load.js';
import { type Comparison, changesBetween } from './comparison.js';

/**
 * Compares the messages of the same name in two `.proto` files. Fields are matched by number and by their type on the wire; a new name
 * changes nothing.
 */
export function compareProtobuf(before: SchemaText, after: SchemaText): Comparison {
  const [was, is] = [messagesOf(loadRoot(before)), messagesOf(loadRoot(after))];
  return {
    changes: changesBetween(outlineOf(was), outlineOf(is)),
    backward: problems(was, is),
    forward: problems(is, was),
  };
}

type Messages = ReadonlyMap<string, protobufjs.Type>;

function messagesOf(root: protobufjs.Root): Messages {
  const found = new Map<string, protobufjs.Type>();
  const visit = (namespace: Pick<protobufjs.NamespaceBase, 'nestedArray'>): void => {
    for (const nested of namespace.nestedArray) {
      if (nested.fullName.startsWith('.google.protobuf')) continue;
      if (nested instanceof protobufjs.Type) found.set(nested.fullName.slice(1), nested);
      if (nested instanceof protobufjs.Namespace) visit(nested);
    }
  };
  visit(root);
  return found;
}

function outlineOf(messages: Messages): Map<string, string> {
  const outline = new Map<string, string>();
  for (const [name, type] of messages) {
    outline.set(name, 'message');
    for (const field of fieldsOf(type)) outline.set(`${name} ${field.id}`, `${shown(field)} ${field.name}`);
  }
  return outline;
}

const fieldsOf = (type: protobufjs.Type): protobufjs.Field[] =>
  type.fieldsArray.map((field) => field.resolve()).sort((a, b) => a.id - b.id);

function shown(field: protobufjs.Field): string {
  const type = field.resolvedType?.fullName.slice(1) ?? field.type;
  if (field instanceof protobufjs.MapField) return `map<${field.keyType}, ${type}>`;
  if (field.repeated) return `repeated ${type}`;
  return field.required ? `required ${type}` : type;
}

/** Groups of types that can be read as each other, for values that both can hold. */
const exchangeable = [
  ['int32', 'uint32', 'int64', 'uint64', 'bool', 'enum'],
  ['sint32', 'sint64'],
  ['fixed32', 'sfixed32'],
  ['fixed64', 'sfixed64'],
  ['string', 'bytes'],
];

function problems(writer: Messages, reader: Messages): string[] {
  return [...writer].flatMap(([name, type]) => {
    const other = reader.get(name);
    if (other === undefined) return [`${name}: the message is gone`];
    const written = new Map(fieldsOf(type).map((field) => [field.id, field]));
    return fieldsOf(other).flatMap((field) => {
      const source = written.get(field.id);
      const at = `${name}.${field.name} = ${field.id}`;
      if (source === undefined) return field.required ? [`${at}: it is required, and not written`] : [];
      return isReadable(source, field) ? [] : [`${at}: it is written as ${shown(source)}, and read as ${shown(field)}`];
    });
  });
}

function isReadable(from: protobufjs.Field, to: protobufjs.Field): boolean {
  if (from.map !== to.map) return false;
  // A single value is read as a list of one. Of a list, a single field would read the last value only.
  if (from.repeated && !to.repeated) return false;
  if (from instanceof protobufjs.MapField && to instanceof protobufjs.MapField && from.keyType !== to.keyType)
    return false;
  const [a, b] = [wireTypeOf(from), wireTypeOf(to)];
  return a === b || exchangeable.some((group) => group.includes(a) && group.includes(b));
}

const wireTypeOf = (field: protobufjs.Field): string => {
  if (field.resolvedType instanceof protobufjs.Enum) return 'enum';
  return field.resolvedType?.fullName ?? field.type;
};
