/** A piece of a text: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How one kind of personal data is found in a text, told apart from what only looks like it, and shown in part. */
export interface Detector {
  /** Digits that one has at least: a text with fewer need not be searched. */
  readonly digitsMin: number;
  find(text: string): Iterable<Span>;
  /** One spelling of all that mean the same: what tokens are made of. */
  normalize(found: string): string;
  /** With most of it hidden. */
  partial(found: string): string;
}

/** How many digits a text has, wherever they stand. */
export function countDigits(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) count++;
  }
  return count;
}

/** Spaces between the parts of a number, as a class of a pattern has them: also thin ones, and those that do not break a line. */
export const SPACES = ' \\u00a0\\u2009\\u202f';
/** Hyphens likewise, not dashes: those are of ranges. The plain one stands last. */
export const HYPHENS = '\\u2010\\u2011-';
export const GAPS = `${SPACES}${HYPHENS}`;
/** The same as codes. */
export const GAP_CODES: ReadonlySet<number> = new Set([0x20, 0xa0, 0x2009, 0x202f, 0x2010, 0x2011, 0x2d]);

/** Finds what matches a pattern and passes a check. The pattern takes no longer than a text is long. */
export function* matching(
  text: string,
  pattern: RegExp,
  isOne: (found: string) => boolean = () => true,
): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(pattern))
    if (isOne(found)) yield { start: index, end: index + found.length };
}

export const digitsOf = (text: string): string => text.replace(/\D/g, '');
export const lettersAndDigitsOf = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();

/** Letters and digits become stars but for the first and last so many; what stands between them stays. Of no more than these none is shown. */
export function starred(text: string, first: number, last: number): string {
  const total = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  let at = 0;
  return text.replace(/[\p{L}\p{N}]/gu, (character) => {
    const shown = total > first + last && (at < first || at >= total - last);
    at++;
    return shown ? character : '*';
  });
}
