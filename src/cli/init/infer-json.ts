type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A JSON schema that all of some values fit. Numbers stay numbers where all seen are whole: the next need not be. What some values
 * lack is not required, and what was null may be.
 *
 * @example
 * inferJsonSchema([{ id: 'a', n: 1 }, { id: 'b', n: null }]);
 * // { type: 'object', properties: { id: { type: 'string' }, n: { type: ['number', 'null'] } }, required: ['id', 'n'] }
 */
export function inferJsonSchema(values: readonly unknown[]): Json {
  const types = [...new Set(values.map(typeOf))].sort((a, b) => Number(a === 'null') - Number(b === 'null'));
  const schema: Record<string, unknown> = types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types };
  const objects = values.filter(isObject);
  if (objects.length > 0) {
    const names = [...new Set(objects.flatMap(Object.keys))];
    schema.properties = Object.fromEntries(
      names.map((name) => [name, inferJsonSchema(objects.flatMap((one) => (name in one ? [one[name]] : [])))]),
    );
    const required = names.filter((name) => objects.every((one) => name in one));
    if (required.length > 0) schema.required = required;
  }
  const items = values.filter(Array.isArray).flat();
  if (items.length > 0) schema.items = inferJsonSchema(items);
  return schema;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
