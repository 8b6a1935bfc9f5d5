import { MillraceError } from '../core/errors.js';
import { DecodeFailure } from './decode-failure.js';
import type { WireCodec } from './wire-codec.js';

/** Deeper JSON parses, but whatever walks it afterwards by recursion would run out of stack. */
const DEPTH_MAX = 256;

/** The codec of plain JSON. */
export function jsonCodec<T>(subject: string): WireCodec<T> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return {
    encode(value) {
      const text = JSON.stringify(value);
      if (text === undefined) {
        throw new MillraceError('schema', `a ${typeof value} has no JSON`, {
          where: subject,
          hint: 'emit an object, an array, a string, a number, a boolean or null',
        });
      }
      return Buffer.from(text);
    },

    decode(bytes) {
      if (bytes.length > DEPTH_MAX) checkDepth(bytes);
      try {
        return JSON.parse(utf8.decode(bytes)) as T;
      } catch (cause) {
        throw new DecodeFailure('not-json', 'not JSON in UTF-8', cause);
      }
    },

    prepare: async () => undefined,
  };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checkDepth(bytes: Uint8Array): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
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
