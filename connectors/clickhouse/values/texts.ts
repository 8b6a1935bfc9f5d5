import { isIPv4, isIPv6 } from 'node:net';
import { refuseUnwritable, withMaps } from '../../../src/util/json-text.js';
import { unquoted } from '../table/type-text.js';
import { asBytes, quotedText, type ValueType } from './value-type.js';

/** `String` takes text, bytes unchanged, and everything else as its JSON text. */
export const string: ValueType = {
  fits: (value) => {
    if (typeof value === 'string') return value.isWellFormed();
    return value instanceof Uint8Array || jsonOf(value) !== undefined;
  },
  write: (value) => {
    if (typeof value === 'string') return quotedText(value);
    if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('latin1'));
    return quotedText(typeof value === 'object' ? (jsonOf(value) as string) : String(value));
  },
};

/** `FixedString`: text or bytes of exactly this length, since ClickHouse would pad shorter ones. */
export const fixedString = (length: number): ValueType => ({
  fits: (value) =>
    value instanceof Uint8Array
      ? value.length === length
      : typeof value === 'string' && Buffer.byteLength(value) === length && value.isWellFormed(),
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

/** Unknown types: the JSON of the value, which ClickHouse checks. */
export const json: ValueType = {
  fits: (value) => jsonOf(value) !== undefined,
  write: (value) => asBytes(jsonOf(value) as string),
};

/** A value as JSON. `Map`s become objects; whole numbers without exact JSON become text. `undefined` if it cannot be written. */
function jsonOf(value: unknown): string | undefined {
  if (value === null) return undefined; // nullable columns are handled by `nullable`
  if (typeof value === 'bigint') return value.toString();
  try {
    const text = JSON.stringify(value, (name, each) =>
      typeof each === 'bigint' ? each.toString() : withMaps(name, each),
    );
    if (typeof value === 'object') refuseUnwritable(value);
    return text;
  } catch {
    return undefined; // it contains itself, or it is a value that JSON leaves out
  }
}
