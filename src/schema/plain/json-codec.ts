import type { LazyJson } from '../../core/record.js';
import { jsonText } from '../../util/json-text.js';
import { DecodeFailure, unrepresentableValue } from '../failures.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { textOf } from './utf8.js';

/** Deeper JSON can be parsed, but recursive code over the value would overflow the stack. */
const DEPTH_MAX = 256;

/** The value of a JSON text in UTF-8 that begins at `start`. @throws DecodeFailure */
export function parseJson(bytes: Uint8Array, start = 0): unknown {
  if (bytes.length > DEPTH_MAX) checkDepth(bytes, start);
  const text = textOf(bytes, start);
  if (text === undefined) throw new DecodeFailure('not-json', 'not JSON in UTF-8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DecodeFailure('not-json', 'not JSON in UTF-8', cause);
  }
}

/** The same as from its bytes, which are not needed if they are known to be JSON that is not too deep. */
export const valueOfJson = (json: LazyJson): unknown =>
  json.depthMax <= DEPTH_MAX ? json.value() : parseJson(json.bytes);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checkDepth(bytes: Uint8Array, start: number): void {
  if (!opensOften(bytes, start)) return;
  let depth = 0;
  let inString = false;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEPTH_MAX) throw new DecodeFailure('too-deep', `nested deeper than ${DEPTH_MAX}`);
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
    }
  }
}

/** Few payloads have so many brackets, and counting them costs far less than tracking their nesting. */
function opensOften(bytes: Uint8Array, start: number): boolean {
  let brackets = 0;
  for (let i = start; i < bytes.length; i++) {
    // `[` and `{` differ in one bit.
    if (((bytes[i] as number) & 0xdf) === 0x5b) brackets++;
  }
  return brackets > DEPTH_MAX;
}

/** The codec of plain JSON; with `newline` each payload ends in one, as a line of NDJSON does. */
export function jsonCodec<T>(subject: string, newline: boolean): WireCodec<T> {
  const end = newline ? '\n' : '';
  const textOf = (value: T) => jsonOf(value, subject) + end;
  return {
    encode: (value) => Buffer.from(textOf(value)),
    textOf,
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
