/** A text in plain spelling, and where its characters stand in the original. */
export interface Folded {
  readonly text: string;
  /** Where a piece of it stands in the original. */
  originOf(start: number, end: number): { readonly start: number; readonly end: number };
}

/** Of characters that are read as others, up to U+1FFFF: the code of the plain one, or `INVISIBLE`. All others are 0. */
let plainCodes: Uint8Array | undefined;
const INVISIBLE = 0xff;

/** Soft hyphen, zero-width spaces and joiners, word joiner, byte order mark. */
const isInvisible = (code: number): boolean =>
  /[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/.test(String.fromCodePoint(code));

function makePlainCodes(): Uint8Array {
  const codes = new Uint8Array(0x20000);
  const isDigit = /\p{Nd}/u;
  // Digits of a script stand in rows of ten in Unicode, each from 0; those of mathematics in five rows without a gap.
  for (let code = 0x80, digit = 0; code < codes.length; code++) {
    if (isInvisible(code)) codes[code] = INVISIBLE;
    const next = isDigit.test(String.fromCodePoint(code));
    if (next) codes[code] = 0x30 + digit;
    digit = next ? (digit + 1) % 10 : 0;
  }
  for (let code = 0xff01; code <= 0xff5e; code++) codes[code] = code - 0xfee0;
  codes[0x3000] = 0x20;
  return codes;
}

/**
 * Takes out characters that nobody sees, and makes fullwidth forms and the digits of other scripts those of ASCII: personal data
 * written so is found as well. Plain texts are passed on as they are. Memory: the text, and a number of 4 bytes a character.
 */
export function folded(original: string): Folded {
  plainCodes ??= makePlainCodes();
  const codes = plainCodes;
  let first = 0;
  while (first < original.length && plainAt(original, first, codes) === 0) first++;
  if (first === original.length) return { text: original, originOf: (start, end) => ({ start, end }) };
  const units = new Uint16Array(original.length - first);
  const starts = new Uint32Array(units.length);
  let size = 0;
  for (let at = first; at < original.length; at++) {
    const plain = plainAt(original, at, codes);
    if (plain !== INVISIBLE) {
      starts[size] = at;
      units[size++] = plain === 0 ? original.charCodeAt(at) : plain;
    }
    if (plain !== 0 && isHigh(original.charCodeAt(at))) at++;
  }
  const originOf = (at: number) => (at < first ? at : (starts[at - first] as number));
  const lengthAt = (at: number) => (plainAt(original, at, codes) !== 0 && isHigh(original.charCodeAt(at)) ? 2 : 1);
  return {
    text: original.slice(0, first) + Buffer.from(units.buffer, 0, 2 * size).toString('utf16le'),
    originOf: (start, end) => ({ start: originOf(start), end: originOf(end - 1) + lengthAt(originOf(end - 1)) }),
  };
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

/** What the character that begins there becomes; 0 where it stays. */
function plainAt(text: string, at: number, codes: Uint8Array): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 0;
  return codes[isHigh(unit) ? (text.codePointAt(at) as number) : unit] ?? 0;
}
