import type { SchemaText } from '../../core/schema.js';
import { arrayOf, type Declaration, freeName, literals, mapOf, typeName, unionOf } from './lines.js';

type Json = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The types of the values that a JSON schema allows; what it says beyond types is left to the validation. */
export function jsonTypes(schema: SchemaText): Declaration[] {
  const root = JSON.parse(schema.text) as unknown;
  const external = new Map(schema.references.map(({ name, schema: text }) => [name, JSON.parse(text.text) as unknown]));
  const names = new Map<unknown, string>();
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
    if (typeof $ref === 'string') return referenced($ref);
    if ('const' in at) return literal(at.const);
    if (Array.isArray(at.enum)) return unionOf(at.enum.map(literal));
    const alternatives = at.oneOf ?? at.anyOf;
    if (Array.isArray(alternatives)) return unionOf(alternatives.map((one, i) => typeOf(one, `${name} ${i + 1}`)));
    const types = Array.isArray(at.type) ? at.type : [at.type];
    return unionOf(types.map((type) => single(type, at, name)));
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

  const referenced = (ref: string): string => {
    const [file = '', pointer = ''] = ref.split('#');
    const base = file === '' ? root : external.get(file);
    const parts = pointer.split('/').slice(1);
    const found = parts.reduce<unknown>(
      (at, part) => objectOf(at)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
      base,
    );
    return names.get(found) ?? typeOf(found, parts.at(-1) ?? (file === '' ? 'Value' : file.replace(/\..*$/, '')));
  };

  const title = textOf(objectOf(root).title) ?? 'Value';
  const top = typeOf(root, title);
  if (![...names.values()].includes(top)) declared.push({ name: typeName(title), type: top });
  return declared;
}

const literal = (value: unknown): string => (typeof value === 'string' ? literals([value]) : JSON.stringify(value));
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
