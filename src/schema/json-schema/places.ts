import type { SchemaText } from '../../core/schema.js';
import { addressOf, jsonReferences, NOWHERE } from './references.js';

/** A parsed JSON schema whose references can be resolved. */
export interface JsonPlaces {
  readonly root: unknown;
  /** The schema that a reference in `from` names; `undefined` if there is none. */
  find(reference: string, from: object): unknown;
}

/**
 * Resolves references of JSON schemas: by pointer, by `$anchor`, and by the `$id` of a schema in the text or in a referenced text.
 *
 * @example
 * const { root, find } = jsonPlaces({ format: 'json-schema', text: '{"$defs":{"a":{"type":"string"}}}', references: [] });
 * find('#/$defs/a', root as object); // { type: 'string' }
 */
export function jsonPlaces(schema: SchemaText): JsonPlaces {
  const schemas = new Map<string, unknown>();
  /** The base URI of each object, to which references in it are relative. */
  const bases = new Map<object, string>();

  const add = (inner: unknown, outer: string): void => {
    if (typeof inner !== 'object' || inner === null) return;
    const { $id, $anchor } = inner as { readonly $id?: unknown; readonly $anchor?: unknown };
    const base = typeof $id === 'string' ? addressOf($id, outer) : outer;
    if (typeof $id === 'string') schemas.set($id.startsWith('#') ? `${base}${$id}` : base, inner);
    if (typeof $anchor === 'string') schemas.set(`${base}#${$anchor}`, inner);
    bases.set(inner, base);
    for (const one of Object.values(inner)) add(one, base);
  };

  const addText = ({ text, references }: SchemaText, address: string): unknown => {
    const json = JSON.parse(text) as unknown;
    schemas.set(address, json);
    add(json, address);
    const addresses = jsonReferences(text);
    for (const { name, schema: referred } of references) {
      const at = addresses.get(name) ?? addressOf(name, address);
      if (!schemas.has(at)) addText(referred, at);
    }
    return json;
  };

  const root = addText(schema, NOWHERE);
  return {
    root,
    find(reference, from) {
      const address = addressOf(reference, bases.get(from) ?? NOWHERE);
      const fragment = reference.split('#')[1] ?? '';
      if (fragment !== '' && !fragment.startsWith('/')) return schemas.get(`${address}#${fragment}`);
      return fragment.split('/').slice(1).reduce<unknown>(inside, schemas.get(address));
    },
  };
}

/** Follows one step of a JSON pointer. */
function inside(at: unknown, step: string): unknown {
  const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  return typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? at[name as keyof typeof at] : undefined;
}
