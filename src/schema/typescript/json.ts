import type { SchemaText } from '../../core/schema.js';
import { jsonPlaces } from '../json-schema/places.js';
import { arrayOf, type Declaration, freeName, intersectionOf, literals, mapOf, typeName, unionOf } from './lines.js';

type Json = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The types of the values that a JSON schema allows. Its other rules are for the validation. */
export function jsonTypes(schema: SchemaText): Declaration[] {
  const { root, find } = jsonPlaces(schema);
  const names = new Map<unknown, string>();
  /** Schemas without a name that are being converted. A recursive one becomes `unknown` where it occurs again. */
  const open = new Set<unknown>();
  const declared: Declaration[] = [];

  const interfaceOf = (at: Json, wanted: string): string => {
    const name = freeName([typeName(wanted)], names);
    names.set(at, name); // before its properties, which may be of this type
    const place = declared.push({ name, members: [] }) - 1;
    const required = new Set(Array.isArray(at.required) ? at.required : []);
    const members = Object.entries(objectOf(at.properties)).map(([property, inner]) => ({
      name: property,
      type: typeOf(inner, `${name} ${property}`),
      optional: !required.has(property) && objectOf(inner).default === undefined,
      doc: textOf(objectOf(inner).description),
    }));
    declared[place] = { name, doc: textOf(at.description), members };
    return name;
  };

  const typeOf = (given: unknown, name: string): string => {
    const at = objectOf(given);
    const { $ref } = at;
    if (typeof $ref === 'string') return referenced($ref, at);
    if ('const' in at) return literal(at.const);
    if (Array.isArray(at.enum)) return unionOf(at.enum.map(literal));
    const alternatives = at.oneOf ?? at.anyOf;
    if (Array.isArray(alternatives)) return unionOf(alternatives.map((one, i) => typeOf(one, `${name} ${i + 1}`)));
    if (Array.isArray(at.allOf)) return allOf(at, at.allOf, name);
    const types = Array.isArray(at.type) ? at.type : [at.type];
    return unionOf(types.map((type) => single(type, at, name)));
  };

  /** The intersection of several schemas and the one that contains them. */
  const allOf = ({ allOf: _, ...rest }: Json, parts: readonly unknown[], name: string): string => {
    const types = parts.map((part, i) => typeOf(part, `${name} ${i + 1}`));
    if (rest.properties !== undefined) types.push(interfaceOf(rest, `${textOf(rest.title) ?? name} own`));
    return intersectionOf(types);
  };

  const single = (type: unknown, at: Json, name: string): string => {
    switch (type) {
      case 'string':
      case 'boolean':
      case 'null':
        return type;
      case 'integer':
      case 'number':
        return 'number';
      case 'array':
        return at.items === undefined || Array.isArray(at.items)
          ? arrayOf('unknown')
          : arrayOf(typeOf(at.items, `${name} item`));
      case 'object':
      case undefined:
        if (at.properties !== undefined) return names.get(at) ?? interfaceOf(at, textOf(at.title) ?? name);
        if (type === undefined) return 'unknown';
        return mapOf(
          typeof at.additionalProperties === 'object' ? typeOf(at.additionalProperties, `${name} value`) : 'unknown',
        );
      default:
        return 'unknown';
    }
  };

  const referenced = (reference: string, from: Json): string => {
    const found = find(reference, from);
    const known = names.get(found);
    if (known !== undefined) return known;
    if (open.has(found)) return 'unknown';
    open.add(found);
    const [file = '', pointer = ''] = reference.split('#');
    const last = pointer.split('/').at(-1) || (file === '' ? 'Value' : file.replace(/^.*\/|\.[^/]*$/g, ''));
    const type = typeOf(found, last);
    open.delete(found);
    return type;
  };

  const title = textOf(objectOf(root).title) ?? 'Value';
  const top = typeOf(root, title);
  if (![...names.values()].includes(top)) declared.unshift({ name: freeName([typeName(title)], names), type: top });
  return declared;
}

const literal = (value: unknown): string => (typeof value === 'string' ? literals([value]) : JSON.stringify(value));
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
