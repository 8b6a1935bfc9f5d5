import { messageOf } from '../../src/core/errors.js';
import { jsonText } from '../../src/util/json-text.js';

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
  const fields: [name: string, text: string][] = [];
  for (const [name, field] of Object.entries(value ?? {})) {
    if (field === null || field === undefined) continue;
    fields.push([name, typeof field === 'object' ? (jsonText(field) as string) : String(field)]);
  }
  return Object.fromEntries(fields); // which keeps a field `__proto__`, as assigning does not
}

/** Why a value cannot be kept as a hash of that key: its key is no text, or a field is not to be written as JSON. */
export function unrepresentableHash(key: unknown, value: unknown): string | undefined {
  const unrepresentable = unrepresentableKey('key', key);
  if (unrepresentable !== undefined) return unrepresentable;
  if (value instanceof Map || value instanceof Set) return `a ${value.constructor.name} has no fields`;
  for (const [name, field] of Object.entries(value ?? {})) {
    const reason = typeof field === 'object' ? unrepresentableJson(field) : undefined;
    if (reason !== undefined) return `field ${name} is ${reason}`;
  }
  return undefined;
}

/** Why what an option gives cannot be a key: everything without one would come to lie under the same. */
export function unrepresentableKey(option: string, key: unknown): string | undefined {
  if (typeof key === 'string' && key !== '') return undefined;
  return `\`${option}\` gives ${key === '' ? 'an empty text' : `something of type ${typeof key}`}, not a text`;
}

/** Why a value has no JSON: it contains itself, a `bigint`, or what JSON would keep nothing of. */
export function unrepresentableJson(value: unknown): string | undefined {
  try {
    jsonText(value);
    return undefined;
  } catch (error) {
    return `no JSON: ${messageOf(error)}`;
  }
}
