import { MillraceError } from '../../core/errors.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { parseJson } from './json-text.js';

/** The codec of plain JSON; with `newline` each payload ends in one, as a line of NDJSON does. */
export function jsonCodec<T>(subject: string, newline: boolean): WireCodec<T> {
  const end = newline ? '\n' : '';
  return {
    encode(value) {
      const text = jsonOf(value, subject);
      return Buffer.from(text + end);
    },
    decode: (bytes) => parseJson(bytes) as T,
    prepare: nothingToPrepare,
  };
}

/** A value as JSON text. */
export function jsonOf(value: unknown, subject: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new MillraceError('schema', 'a value has no JSON', {
      where: subject,
      hint: 'JSON has no bigint and no cycles: emit text for the one, and no value that contains itself',
      cause,
    });
  }
  if (text !== undefined) return text;
  throw new MillraceError('schema', `a ${typeof value} has no JSON`, {
    where: subject,
    hint: 'emit an object, an array, a string, a number, a boolean or null',
  });
}
