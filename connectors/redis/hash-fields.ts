import { messageOf } from '../../src/core/errors.js';
import { jsonText } from '../../src/util/json-text.js';

/**
 * The fields of a hash that hold a value, as strings; the same in every key-value store.
 *
 * Properties that are null or undefined are left out. Strings are kept, objects and arrays become JSON, and other values are
 * converted by `String` (for a number, the shortest decimal that reads back as the same number).
 *
 * @example
 * hashFields({ late: 0.25, risk: null, origin: 'JFK' }); // { late: '0.25', origin: 'JFK' }
 */
export function hashFields(value: unknown): Record<string, string> {
  const fields: Record<string, string> = {};
  const given = Object(value ?? {}) as Readonly<Record<string, unknown>>;
  // Names and assignments: pairs of names and texts would cost as much again.
  for (const name of Object.keys(given)) {
    const field = given[name];
    if (field === null || field === undefined) continue;
    const text = typeof field === 'object' ? (jsonText(field) as string) : String(field);
    if (name === '__proto__') Object.defineProperty(fields, name, { value: text, enumerable: true });
    else fields[name] = text;
  }
  return fields;
}

/** Why a hash cannot store a value: its key is not a string, or a field cannot be written as JSON. */
export function unrepresentableHash(key: unknown, value: unknown): string | undefined {
  const unrepresentable = unrepresentableKey('key', key);
  if (unrepresentable !== undefined) return unrepresentable;
  if (value instanceof Map || value instanceof Set) return `a ${value.constructor.name} has no fields`;
  const given = Object(value ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    const field = given[name];
    if (field === null) continue;
    const reason = typeof field === 'object' ? unrepresentableJson(field) : unrepresentableText(field);
    if (reason !== undefined) return `field ${name} is ${reason}`;
    if (!name.isWellFormed()) return `the name of a field is ${HALF}`;
  }
  return undefined;
}

/** Why the result of an option cannot be a key. All values without a key would get the same one. */
export function unrepresentableKey(option: string, key: unknown): string | undefined {
  if (typeof key === 'string' && key !== '') return key.isWellFormed() ? undefined : `\`${option}\` gives ${HALF}`;
  return `\`${option}\` gives ${key === '' ? 'an empty text' : `something of type ${typeof key}`}, not a text`;
}

const HALF = 'text with half of a surrogate pair, which UTF-8 has not';

/** Why something that is no object is not kept as text. */
export function unrepresentableText(value: unknown): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return typeof value === 'string' && !value.isWellFormed() ? HALF : undefined;
}

/** Why a value cannot be written as JSON: it contains itself or a `bigint`, or it is a value that JSON leaves out. */
export function unrepresentableJson(value: unknown): string | undefined {
  try {
    jsonText(value);
    return undefined;
  } catch (error) {
    return `no JSON: ${messageOf(error)}`;
  }
}
