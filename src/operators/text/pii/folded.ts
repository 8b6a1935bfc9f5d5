/** A text in plain spelling, and where its characters stand in the original. */
export interface Folded {
  readonly text: string;
  /** Where a piece of it stands in the original. */
  originOf(start: number, end: number): { readonly start: number; readonly end: number };
}

/** Characters that nobody sees: soft hyphen, zero-width spaces and joiners, word joiner, byte order mark. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/;
const FOLDABLE = /[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\uff01-\uff5e\u3000]|(?![0-9])\p{Nd}/u;
const DIGIT = /\p{Nd}/u;

/**
 * Takes out characters that nobody sees, and makes fullwidth forms and the digits of other scripts those of ASCII: personal data
 * written so is found as well. Plain texts are passed on as they are. Memory: the text, and two numbers a character.
 */
export function folded(original: string): Folded {
  if (!FOLDABLE.test(original)) return { text: original, originOf: (start, end) => ({ start, end }) };
  const parts: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of original) {
    const end = at + character.length;
    if (!INVISIBLE.test(character)) {
      const plain = plainOf(character);
      parts.push(plain);
      for (let i = 0; i < plain.length; i++) {
        starts.push(at);
        ends.push(end);
      }
    }
    at = end;
  }
  return {
    text: parts.join(''),
    originOf: (start, end) => ({ start: starts[start] as number, end: ends[end - 1] as number }),
  };
}

function plainOf(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code === 0x3000) return ' ';
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  return code > 0x39 && DIGIT.test(character) ? String(digitOf(code)) : character;
}

/** Digits of a script stand in rows of ten in Unicode, each from 0; those of mathematics in five rows without a gap. */
function digitOf(code: number): number {
  if (code >= 0x1d7ce && code <= 0x1d7ff) return (code - 0x1d7ce) % 10;
  let zero = code;
  while (code - zero < 9 && DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
  return code - zero;
}
