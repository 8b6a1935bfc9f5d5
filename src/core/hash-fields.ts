/**
 * The fields under which a hash keeps a value, as strings: the same in every key-value store.
 *
 * A property that is null or undefined is left out; strings stay as they are, objects and arrays become JSON,
 * everything else what `String` makes of it (the shortest decimal that reads back as the same number).
 *
 * @example
 * hashFields({ late: 0.25, risk: null, origin: 'JFK' }); // { late: '0.25', origin: 'JFK' }
 */
export function hashFields(value: unknown): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, field] of Object.entries(value ?? {})) {
    if (field === null || field === undefined) continue;
    fields[name] = typeof field === 'object' ? JSON.stringify(field) : String(field);
  }
  return fields;
}
