import { isUtf8 } from 'node:buffer';

/** The text of bytes from `start` on; `undefined` where they are not UTF-8. */
export function textOf(bytes: Uint8Array, start = 0): string | undefined {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8', start, bytes.length);
  // What cannot be read becomes U+FFFD; where there is none, all could be read.
  return text.includes('\ufffd') && !isUtf8(buffer.subarray(start)) ? undefined : text;
}
