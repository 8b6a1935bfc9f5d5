import { isIP, isIPv6 } from 'node:net';
import { type Detector, digitsOf, GAPS, matching, type Span, starred } from './span.js';

const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?`;
/** Of what may stand before the `@`, what people have there: not the signs that set apart fields of a URL, or quote and mark a text. */
const LOCAL = String.raw`[\p{L}\p{N}_][\p{L}\p{N}.!$%'*+^_~-]{0,63}`;
/** Sought by its `@` with a label and a dot behind it, and from there backwards: most characters of a text are in no address. */
const EMAIL = new RegExp(
  String.raw`@(?=[\p{L}\p{N}-]{1,63}\.)(?<=(?<![\p{L}\p{N}._%+-])(${LOCAL})@)(?:${LABEL}\.){1,8}\p{L}{2,63}(?![\p{L}\p{N}])`,
  'gu',
);

const LATER = /(?<=[^\p{L}\p{N}._%+-])[\p{L}\p{N}_][^@]*@/u;

/** Finds what matches a pattern that begins within it: what stands in front is its first group. */
function* fromWithin(text: string, pattern: RegExp): Iterable<Span> {
  for (const { 0: found, 1: before = '', index } of text.matchAll(pattern))
    yield { start: index - before.length, end: index + found.length };
}

/** Addresses as browsers take them (WHATWG HTML), with letters of all scripts; a domain has a dot. */
export const email: Detector = {
  digitsMin: 0,
  *find(text) {
    let from = 0;
    for (const { start, end } of fromWithin(text, EMAIL)) {
      // Where one stands right behind another, it begins with what that one leaves.
      const own = start < from ? from - 1 + text.slice(from - 1, end).search(LATER) : start;
      if (own < from) continue;
      yield { start: own, end };
      from = end;
    }
  },
  normalize: (found) => found.toLowerCase(),
  partial(found) {
    const at = found.lastIndexOf('@');
    return `${starred(found.slice(0, at), 1, 0)}${found.slice(at)}`;
  },
};

/** With a plus or 00 in front: 8 to 15 digits, as E.164 allows. */
const INTERNATIONAL = new RegExp(
  `(?=\\+[1-9]|00[1-9])(?<![\\p{L}\\p{N}+])(?:\\+|00)[1-9](?:[()./${GAPS}]{0,3}\\d){7,14}(?!\\d)`,
  'gu',
);
/** North American: area and exchange begin with 2 to 9, and are set apart. */
const GAP = `[.${GAPS}]`;
const NORTH_AMERICAN = new RegExp(
  `(?=[1(2-9])(?<![\\p{L}\\p{N}+.-])(?:1${GAP})?(?:\\([2-9]\\d\\d\\)${GAP}?|[2-9]\\d\\d${GAP})[2-9]\\d\\d${GAP}\\d{4}(?![\\p{L}\\p{N}-])`,
  'gu',
);

export const phone: Detector = {
  digitsMin: 8,
  *find(text) {
    yield* matching(text, INTERNATIONAL);
    yield* matching(text, NORTH_AMERICAN);
  },
  normalize(found) {
    const digits = digitsOf(found);
    if (found.startsWith('+')) return `+${digits}`;
    if (digits.startsWith('00')) return `+${digits.slice(2)}`;
    return digits.length === 10 ? `+1${digits}` : `+${digits}`;
  },
  partial: (found) => starred(found, 0, 2),
};

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IP_V4 = new RegExp(
  `(?=\\d{1,3}\\.\\d)(?<![\\p{L}\\p{N}.])(?:${OCTET}\\.){3}${OCTET}(?![\\p{L}\\p{N}]|\\.\\d)`,
  'gu',
);
/** Behind a word and a colon too (`addr:2001:db8::1`), where the word is no group of such an address itself. */
const IP_V6 =
  /:(?<=(?:^|[^\p{L}\p{N}:.]|[g-z_]\w{0,30}:)([\da-f]{0,4}):)[\da-f:]{1,37}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\p{L}\p{N}:]|\.\d)/giu;

export const ip: Detector = {
  digitsMin: 1,
  *find(text): Iterable<Span> {
    // First: it may end in one of version 4. Words of hexadecimal letters alone (`a::b`) are names of programs.
    for (const each of fromWithin(text, IP_V6)) {
      const found = text.slice(each.start, each.end);
      if (/\d/.test(found) && isIPv6(found)) yield each;
    }
    yield* matching(text, IP_V4);
  },
  normalize: (found) => (isIP(found) === 6 ? new URL(`http://[${found}]`).hostname.slice(1, -1) : found),
  /** The network stays: two octets, or two groups. */
  partial(found) {
    const parts = found.split(found.includes(':') ? ':' : '.');
    return found.includes(':') ? `${parts.slice(0, 2).join(':')}:*` : `${parts.slice(0, 2).join('.')}.*.*`;
  },
};
