import { jsonText } from '../../util/json-text.js';
import { unrepresentableValue } from '../value-misfit.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { parseJson, valueOfJson } from './json-text.js';

/** The codec of plain JSON; with `newline` each payload ends in one, as a line of NDJSON does. */
export function jsonCodec<T>(subject: string, newline: boolean): WireCodec<T> {
  const end = newline ? '\n' : '';
  return {
    encode: (value) => Buffer.from(jsonOf(value, subject) + end),
    textOf: (value) => jsonOf(value, subject),
    decode: (bytes) => parseJson(bytes) as T,
    decodeJson: (json) => valueOfJson(json) as T,
    prepare: nothingToPrepare,
  };
}

/** A value as JSON text, `Map`s as objects. */
export function jsonOf(value: unknown, subject: string): string {
  let text: string | undefined;
  try {
    text = jsonText(value);
  } catch (cause) {
    const hint = 'JSON has no bigint, no Set and no cycles: emit a text, an array, and no value that contains itself';
    throw unrepresentableValue('a value has no JSON', subject, hint, cause);
  }
  if (text !== undefined) return text;
  const hint = 'emit an object, an array, a string, a number, a boolean or null';
  throw unrepresentableValue(`a ${typeof value} has no JSON`, subject, hint);
}
