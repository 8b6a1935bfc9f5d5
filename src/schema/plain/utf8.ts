import { isUtf8 } from 'node:buffer';

/** Below this length a loop over the characters is faster than a call of native code. */
const SHORT = 64;

/** Whether a text contains U+FFFD, which replaces bytes that are not UTF-8. It may also have been written. */
function hasReplacements(text: string): boolean {
  if (text.length > SHORT) return text.includes('\ufffd');
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0xfffd) return true;
  return false;
}

/**
 * The native part of `toString`, without the checks of arguments, which cost as much as a short text. Every version of Node has it,
 * but not its types. avsc and protobufjs use it too.
 */
const { utf8Slice } = Buffer.prototype as Buffer & {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
};

/** The text of some bytes; `undefined` if they are not UTF-8. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const text = utf8Slice.call(bytes, start, end);
  // Invalid bytes become U+FFFD. Without one, all bytes were valid.
  return hasReplacements(text) && !isUtf8(bytes.subarray(start, end)) ? undefined : text;
}
