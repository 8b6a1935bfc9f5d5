import type { SchemaText } from '../../core/schema.js';
import { jsonPlaces } from '../json-schema/places.js';
import { type Field, JSON_VALUE, orNull, type Shape } from './shape.js';

type Json = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The maximum nesting of objects, because a schema may refer to itself. */
const DEPTH_MAX = 16;

/** The properties of the objects that a JSON schema describes; `undefined` if it describes other values. */
export function jsonFields(schema: SchemaText): readonly Field[] | undefined {
  const { root, find } = jsonPlaces(schema);

  const resolved = (at: Json, hops = 0): Json => {
    if (typeof at.$ref !== 'string' || hops > DEPTH_MAX) return at;
    return resolved(objectOf(find(at.$ref, at)), hops + 1);
  };

  const fieldsOf = (at: Json, depth: number): Field[] => {
    const required = new Set(Array.isArray(at.required) ? at.required : []);
    return Object.entries(objectOf(at.properties)).map(([name, inner]) => {
      const shape = shapeOf(inner, depth);
      const { default: fallback } = objectOf(inner);
      if (fallback !== undefined) return { name, shape, default: fallback };
      return { name, shape: required.has(name) ? shape : orNull(shape) };
    });
  };

  const shapeOf = (given: unknown, depth: number): Shape => {
    const at = resolved(objectOf(given));
    if (depth > DEPTH_MAX) return JSON_VALUE;
    const kinds = Array.isArray(at.type) ? at.type : [at.type];
    const isNull = kinds.includes('null') || (Array.isArray(at.enum) && at.enum.includes(null));
    const others = kinds.filter((kind) => kind !== 'null');
    const one = others.length === 1 ? single(others[0], at, depth) : JSON_VALUE;
    return isNull || others[0] === undefined ? orNull(one) : one;
  };

  const single = (kind: unknown, at: Json, depth: number): Shape => {
    switch (kind) {
      case 'string':
        return { kind: Array.isArray(at.enum) ? 'word' : 'text' };
      case 'boolean':
        return { kind };
      case 'integer':
        return { kind, bits: 64, signed: true };
      case 'number':
        return { kind: 'float', bits: 64 };
      case 'array':
        if (at.items === undefined || Array.isArray(at.items)) return JSON_VALUE;
        return { kind: 'list', items: shapeOf(at.items, depth + 1) };
      case 'object':
        if (at.properties !== undefined) return { kind: 'record', fields: fieldsOf(at, depth + 1) };
        if (typeof at.additionalProperties !== 'object') return JSON_VALUE;
        return { kind: 'map', keys: { kind: 'text' }, values: shapeOf(at.additionalProperties, depth + 1) };
      default:
        return JSON_VALUE;
    }
  };

  const top = resolved(objectOf(root));
  return top.properties === undefined ? undefined : fieldsOf(top, 0);
}
