import { isIPv4, isIPv6 } from 'node:net';
import { withMaps } from '../../../src/util/json-text.js';
import { isWellFormed } from '../../../src/util/well-formed.js';
import { unquoted } from '../table/type-text.js';
import { asBytes, quotedText, type ValueType } from './value-type.js';

/** `String` takes text, bytes as they are, and everything else as the text it has in JSON. */
export const string: ValueType = {
  fits: (value) => {
    if (typeof value === 'string') return isWellFormed(value);
    return value instanceof Uint8Array || jsonOf(value) !== undefined;
  },
  write: (value) => {
    if (typeof value === 'string') return quotedText(value);
    if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('latin1'));
    return quotedText(typeof value === 'object' ? (jsonOf(value) as string) : String(value));
  },
};

/** `FixedString`: text or bytes of just this length, since ClickHouse would fill up what is shorter. */
export const fixedString = (length: number): ValueType => ({
  fits: (value) =>
    value instanceof Uint8Array
      ? value.length === length
      : typeof value === 'string' && Buffer.byteLength(value) === length && isWellFormed(value),
  write: string.write,
});

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

const textThat = (is: (text: string) => boolean): ValueType => ({
  fits: (value) => typeof value === 'string' && is(value),
  write: (value) => quotedText(value as string),
});

export const uuid = textThat((text) => UUID.test(text));
export const ipv4 = textThat(isIPv4);
export const ipv6 = textThat((text) => isIPv6(text) && !text.includes('%'));

/** `Enum8('a' = 1, ...)`: its names. */
export function enumeration(parameters: readonly string[]): ValueType {
  const names = new Set(parameters.map((parameter) => unquoted(parameter.replace(/\s*=\s*-?\d+$/, ''))));
  return textThat((text) => names.has(text));
}

/** Types that are not known here: whatever JSON has for a value; ClickHouse judges it. */
export const json: ValueType = {
  fits: (value) => jsonOf(value) !== undefined,
  write: (value) => asBytes(jsonOf(value) as string),
};

/** A value as JSON, `Map`s as objects and whole numbers inside it that JSON has no words for as text; `undefined` for what it cannot write. */
function jsonOf(value: unknown): string | undefined {
  if (value === null) return undefined; // a column that takes nulls says so by its type
  if (typeof value === 'bigint') return value.toString();
  try {
    return JSON.stringify(value, (name, each) => (typeof each === 'bigint' ? each.toString() : withMaps(name, each)));
  } catch {
    return undefined; // it contains itself, or what JSON would keep nothing of
  }
}
