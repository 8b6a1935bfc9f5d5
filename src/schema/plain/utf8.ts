import { isUtf8 } from 'node:buffer';

/** Searching costs a call into native code, which is more than a short text's own characters. */
const SHORT = 64;

/** Whether a text has what stands for bytes that are not UTF-8; it may also have been written so. */
export function hasReplacements(text: string): boolean {
  if (text.length > SHORT) return text.includes('\ufffd');
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0xfffd) return true;
  return false;
}

/** The text of bytes from `start` on; `undefined` where they are not UTF-8. */
export function textOf(bytes: Uint8Array, start = 0): string | undefined {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = start === 0 ? buffer.toString() : buffer.toString('utf8', start, bytes.length);
  // What cannot be read becomes U+FFFD; where there is none, all could be read.
  return hasReplacements(text) && !isUtf8(buffer.subarray(start)) ? undefined : text;
}
