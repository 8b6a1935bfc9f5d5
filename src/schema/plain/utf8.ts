import { isUtf8 } from 'node:buffer';

/** Searching costs a call into native code, which is more than a short text's own characters. */
const SHORT = 64;

/** Whether a text has what stands for bytes that are not UTF-8; it may also have been written so. */
function hasReplacements(text: string): boolean {
  if (text.length > SHORT) return text.includes('\ufffd');
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0xfffd) return true;
  return false;
}

/**
 * What `toString` comes to once it has looked at its arguments, which costs as much as a short text. Every version of Node has
 * it, though its types do not; avsc and protobufjs read by it too.
 */
const { utf8Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
};

/** The text of some bytes; `undefined` where they are not UTF-8. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const text = utf8Slice.call(bytes, start, end);
  // What cannot be read becomes U+FFFD; where there is none, all could be read.
  return hasReplacements(text) && !isUtf8(bytes.subarray(start, end)) ? undefined : text;
}
