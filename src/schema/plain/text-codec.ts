import { DecodeFailure, unrepresentableValue } from '../failures.js';
import { nothingToPrepare, type WireCodec } from '../wire-codec.js';
import { textOf as ofUtf8 } from './utf8.js';

/** The codec of `text()`. */
export function textCodec(subject: string): WireCodec<string> {
  const textOf = (value: string): string => {
    if (typeof value !== 'string') throw unrepresentable(value, subject, 'a string');
    if (!value.isWellFormed()) {
      throw unrepresentableValue('half of a surrogate pair has no UTF-8', subject, 'emit well-formed text');
    }
    return value;
  };
  return {
    textOf,
    encode: (value) => Buffer.from(textOf(value)),
    decode(bytes) {
      const value = ofUtf8(bytes);
      if (value === undefined) throw new DecodeFailure('not-utf8', 'not text in UTF-8');
      return value;
    },
    prepare: nothingToPrepare,
  };
}

/** The codec of `bytes()`. */
export const bytesCodec = (subject: string): WireCodec<Uint8Array> => ({
  encode(value) {
    if (!(value instanceof Uint8Array)) throw unrepresentable(value, subject, 'bytes (a Uint8Array)');
    return value;
  },
  decode: (bytes) => bytes,
  prepare: nothingToPrepare,
});

const unrepresentable = (value: unknown, subject: string, wanted: string) =>
  unrepresentableValue(`a ${typeof value} is not ${wanted}`, subject, `emit ${wanted}`);
