import avsc from 'avsc';
import type { SchemaText } from '../../core/schema.js';
import type { AvroField, AvroPrimitive, AvroRecord, AvroType, Logical } from './avro-type.js';

type Json = Readonly<Record<string, unknown>>;
type Names = Map<string, AvroType>;

/**
 * Parses an Avro schema and those that it refers to. `avsc` validates them (names, defaults, duplicates); this resolves the names.
 *
 * @throws Error those of `avsc` and `JSON.parse`.
 * @example parseAvro({ format: 'avro', text: '"long"', references: [] }).kind; // 'long'
 */
export function parseAvro(schema: SchemaText): AvroType {
  const registry: Record<string, avsc.Type> = {};
  const names: Names = new Map();
  for (const text of textsOf(schema, new Set())) {
    const json = JSON.parse(text) as unknown;
    avsc.Type.forSchema(json as avsc.Schema, { registry, wrapUnions: 'auto', omitRecordMethods: true });
    const type = build(json, '', names);
    if (text === schema.text) return type;
  }
  throw new Error('the schema refers to itself');
}

/** The texts of a schema, each after those that it refers to. */
function* textsOf(schema: SchemaText, seen: Set<string>): Generator<string> {
  if (seen.has(schema.text)) return;
  seen.add(schema.text);
  for (const reference of schema.references) yield* textsOf(reference.schema, seen);
  yield schema.text;
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

function build(json: unknown, namespace: string, names: Names): AvroType {
  if (typeof json === 'string') return named(json, namespace, names);
  if (Array.isArray(json)) {
    const branches = json.map((branch) => build(branch, namespace, names));
    return { kind: 'union', branches };
  }
  const attributes = json as Json;
  const { type } = attributes;
  if (typeof type !== 'string') return build(type, namespace, names);
  switch (type) {
    case 'array':
      return { kind: 'array', items: build(attributes.items, namespace, names) };
    case 'map':
      return { kind: 'map', values: build(attributes.values, namespace, names) };
    case 'enum':
    case 'fixed':
    case 'record':
    case 'error':
      return buildNamed(type, attributes, namespace, names);
    default:
      if (!primitives.has(type)) return named(type, namespace, names);
      return { kind: type as AvroPrimitive['kind'], logical: logicalOf(type, attributes) };
  }
}

function named(name: string, namespace: string, names: Names): AvroType {
  if (primitives.has(name)) return { kind: name as AvroPrimitive['kind'], logical: undefined };
  const found = names.get(fullName(name, namespace)) ?? names.get(name);
  if (found === undefined) throw new Error(`undefined type name: ${name}`);
  return found;
}

function buildNamed(kind: 'enum' | 'fixed' | 'record' | 'error', json: Json, outer: string, names: Names): AvroType {
  const own = typeof json.namespace === 'string' ? json.namespace : outer;
  const name = fullName(String(json.name), own);
  const namespace = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  const aliases = texts(json.aliases).map((alias) => fullName(alias, namespace));
  const common = { name, aliases, doc: textOf(json.doc) };
  let type: AvroType;
  if (kind === 'enum') {
    type = { kind, ...common, symbols: texts(json.symbols), default: textOf(json.default) };
  } else if (kind === 'fixed') {
    const size = Number(json.size);
    type = { kind, ...common, size, logical: logicalOf('fixed', json, size) };
  } else {
    const fields: AvroField[] = [];
    const record: AvroRecord = { kind: 'record', ...common, fields };
    names.set(name, record); // before its fields, which may have this type
    for (const field of json.fields as Json[]) fields.push(buildField(field, namespace, names));
    type = record;
  }
  names.set(name, type);
  return type;
}

const buildField = (json: Json, namespace: string, names: Names): AvroField => ({
  name: String(json.name),
  aliases: texts(json.aliases),
  // An attribute of the field beside a plain type name belongs to the field, not to the type.
  type: build(json.type, namespace, names),
  default: json.default,
  doc: textOf(json.doc),
});

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A known logical type on a base that it may have; the specification says that an invalid one is ignored. */
function logicalOf(base: string, json: Json, size?: number): Logical | undefined {
  const name = json.logicalType;
  if (name === 'decimal' && (base === 'bytes' || base === 'fixed')) {
    const precision = Number(json.precision);
    const scale = Number(json.scale ?? 0);
    const digitsMax = size === undefined ? Number.POSITIVE_INFINITY : Math.floor(Math.log10(2) * (8 * size - 1));
    const isValid = Number.isInteger(precision) && precision > 0 && precision <= digitsMax;
    return isValid && Number.isInteger(scale) && scale >= 0 && scale <= precision
      ? { name, precision, scale }
      : undefined;
  }
  if (name === 'date' && base === 'int') return { name };
  const timestamp =
    typeof name === 'string' && base === 'long' ? /^(local-)?timestamp-(millis|micros)$/.exec(name) : null;
  if (timestamp === null) return undefined;
  return { name: 'timestamp', unit: timestamp[2] as 'millis' | 'micros', local: timestamp[1] !== undefined };
}
