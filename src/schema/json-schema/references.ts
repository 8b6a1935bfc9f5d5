/** The base URI of a schema without an `$id`. */
export const NOWHERE = 'schema://nowhere/';
const METASCHEMAS = /^https?:\/\/json-schema\.org\//;

/** Keywords whose values are data, not schemas: a `$ref` in them is no reference. */
const ofValues = new Set(['const', 'default', 'enum', 'examples']);
/** Keywords whose values are schemas by names that the schema chooses. */
const byName = new Set(['$defs', 'definitions', 'dependentSchemas', 'dependencies', 'patternProperties', 'properties']);

/**
 * The external references of a JSON schema: each as it is written, without its fragment, with the absolute URI that it resolves to. The
 * URI depends on the enclosing `$id`. A schema that the text itself contains under an `$id` is not external.
 *
 * @example
 * jsonReferences('{"$id":"https://a.org/b.json","items":{"$ref":"c.json#/$defs/d"}}'); // c.json -> https://a.org/c.json
 */
export function jsonReferences(text: string): ReadonlyMap<string, string> {
  const referred = new Map<string, string>();
  const own = new Set<string>();

  const visit = (schema: unknown, outer: string): void => {
    if (Array.isArray(schema)) for (const one of schema) visit(one, outer);
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
    const { $id } = schema as { readonly $id?: unknown };
    const base = typeof $id === 'string' ? addressOf($id, outer) : outer;
    own.add(base);
    for (const [word, inner] of Object.entries(schema)) {
      if ((word === '$ref' || word === '$dynamicRef') && typeof inner === 'string')
        referred.set(inner.split('#', 1)[0] as string, addressOf(inner, base));
      else if (byName.has(word) && typeof inner === 'object') visit(Object.values(inner ?? {}), base);
      else if (!ofValues.has(word)) visit(inner, base);
    }
  };

  try {
    visit(JSON.parse(text), NOWHERE);
  } catch {
    return new Map(); // not JSON: whoever compiles it says so
  }
  return new Map([...referred].filter(([, address]) => !own.has(address) && !METASCHEMAS.test(address)));
}

/** The absolute URI of a reference, without its fragment. */
export function addressOf(reference: string, base: string): string {
  const plain = reference.split('#', 1)[0] as string;
  try {
    return plain === '' ? base : new URL(plain, base).href;
  } catch {
    return plain; // relative to what has no places beside it, such as a URN
  }
}
