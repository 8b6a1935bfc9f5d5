type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a number stands for several whole ones of JSON, of which it is no longer known which it was. */
export const isRounded = (value: unknown): boolean => Number.isInteger(value) && !Number.isSafeInteger(value);

/**
 * A JSON schema that all of some values fit. Numbers stay numbers where all seen are whole: the next need not be. What some values
 * lack is not required, what was null may be, and what was never anything else may be anything.
 *
 * @example
 * inferJsonSchema([{ id: 'a', n: 1 }, { id: 'b', n: null }]);
 * // { type: 'object', properties: { id: { type: 'string' }, n: { type: ['number', 'null'] } }, required: ['id', 'n'] }
 */
export function inferJsonSchema(values: readonly unknown[]): Json {
  if (values.every((value) => value === null)) return {};
  const types = [...new Set(values.map(typeOf))].sort((a, b) => Number(a === 'null') - Number(b === 'null'));
  const schema: Record<string, unknown> = { type: types.length === 1 ? types[0] : types };
  if (values.some(isRounded)) schema.description = 'Some are beyond 2^53 and are rounded: let ids be texts.';
  const objects = values.filter(isObject);
  if (objects.length > 0) {
    const names = [...new Set(objects.flatMap(Object.keys))];
    schema.properties = Object.fromEntries(
      names.map((name) => [
        name,
        inferJsonSchema(objects.flatMap((one) => (Object.hasOwn(one, name) ? [one[name]] : []))),
      ]),
    );
    const required = names.filter((name) => objects.every((one) => Object.hasOwn(one, name)));
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
