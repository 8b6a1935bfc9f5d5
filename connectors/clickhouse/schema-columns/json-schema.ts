import type { SchemaText } from '../../../src/core/schema.js';
import { arrayOf, type Derived, JSON_TEXT, mapOf, orNull, tupleOf, WORD } from './derived.js';

type Json = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** How deep objects may stand in each other: what refers to itself has no end. */
const DEPTH_MAX = 16;

/** The columns of the objects that a JSON schema describes; nothing where it describes something else. */
export function jsonSchemaColumns(schema: SchemaText): Record<string, Derived> | undefined {
  const root = JSON.parse(schema.text) as unknown;
  const external = new Map(schema.references.map(({ name, schema: text }) => [name, JSON.parse(text.text) as unknown]));

  const resolved = (at: Json, hops = 0): Json => {
    if (typeof at.$ref !== 'string' || hops > DEPTH_MAX) return at;
    const [file = '', pointer = ''] = at.$ref.split('#');
    const parts = pointer
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const target = parts.reduce<unknown>(
      (inner, part) => objectOf(inner)[part],
      file === '' ? root : external.get(file),
    );
    return resolved(objectOf(target), hops + 1);
  };

  const fieldsOf = (at: Json, depth: number): [string, Derived][] => {
    const required = new Set(Array.isArray(at.required) ? at.required : []);
    return Object.entries(objectOf(at.properties)).map(([name, inner]) => {
      const type = typeOf(inner, depth);
      return [name, required.has(name) || objectOf(inner).default !== undefined ? type : orNull(type)];
    });
  };

  const typeOf = (given: unknown, depth: number): Derived => {
    const at = resolved(objectOf(given));
    if (depth > DEPTH_MAX) return JSON_TEXT;
    const kinds = Array.isArray(at.type) ? at.type : [at.type];
    const isNull = kinds.includes('null') || (Array.isArray(at.enum) && at.enum.includes(null));
    const others = kinds.filter((kind) => kind !== 'null');
    const one = others.length === 1 ? single(others[0], at, depth) : JSON_TEXT;
    return isNull || others[0] === undefined ? orNull(one) : one;
  };

  const single = (kind: unknown, at: Json, depth: number): Derived => {
    switch (kind) {
      case 'string':
        return Array.isArray(at.enum) ? WORD : { type: 'String' };
      case 'boolean':
        return { type: 'Bool' };
      case 'integer':
        return { type: 'Int64' };
      case 'number':
        return { type: 'Float64' };
      case 'array':
        return at.items === undefined || Array.isArray(at.items) ? JSON_TEXT : arrayOf(typeOf(at.items, depth + 1));
      case 'object':
        if (at.properties !== undefined) return tupleOf(fieldsOf(at, depth + 1));
        return typeof at.additionalProperties === 'object'
          ? mapOf(typeOf(at.additionalProperties, depth + 1))
          : JSON_TEXT;
      default:
        return JSON_TEXT;
    }
  };

  const top = resolved(objectOf(root));
  return top.properties === undefined ? undefined : Object.fromEntries(fieldsOf(top, 0));
}
