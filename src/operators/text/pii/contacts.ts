import { isIP, isIPv6 } from 'node:net';
import { type Detector, digitsOf, GAPS, matching, type Span, starred, withDigits } from './span.js';

const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?`;
/** Of what may stand before the `@`, what people have there: not the signs that set apart fields of a URL, or quote and mark a text. */
const LOCAL = String.raw`[\p{L}\p{N}_][\p{L}\p{N}.!$%'*+^_~-]{0,63}`;
const EMAIL = new RegExp(
  String.raw`(?<![\p{L}\p{N}._%+-])${LOCAL}@(?:${LABEL}\.){1,8}\p{L}{2,63}(?![\p{L}\p{N}])`,
  'gu',
);

/** Addresses as browsers take them (WHATWG HTML), with letters of all scripts; a domain has a dot. */
export const email: Detector = {
  mayBeIn: (text) => text.includes('@'),
  find: (text) => matching(text, EMAIL),
  normalize: (found) => found.toLowerCase(),
  partial(found) {
    const at = found.lastIndexOf('@');
    return `${starred(found.slice(0, at), 1, 0)}${found.slice(at)}`;
  },
};

/** With a plus or 00 in front: 8 to 15 digits, as E.164 allows. */
const INTERNATIONAL = new RegExp(`(?<![\\p{L}\\p{N}+])(?:\\+|00)[1-9](?:[()./${GAPS}]{0,3}\\d){7,14}(?!\\d)`, 'gu');
/** North American: area and exchange begin with 2 to 9, and are set apart. */
const GAP = `[.${GAPS}]`;
const NORTH_AMERICAN = new RegExp(
  `(?<![\\p{L}\\p{N}+.-])(?:1${GAP})?(?:\\([2-9]\\d\\d\\)${GAP}?|[2-9]\\d\\d${GAP})[2-9]\\d\\d${GAP}\\d{4}(?![\\p{L}\\p{N}-])`,
  'gu',
);

export const phone: Detector = {
  mayBeIn: withDigits(8),
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
const IP_V4 = new RegExp(`(?<![\\p{L}\\p{N}.])(?:${OCTET}\\.){3}${OCTET}(?![\\p{L}\\p{N}]|\\.\\d)`, 'gu');
/** Behind a word and a colon too (`addr:2001:db8::1`), where the word is no group of such an address itself. */
const IP_V6 =
  /(?<=^|[^\p{L}\p{N}:.]|[g-z_]\w{0,30}:)[\da-f]{0,4}:[\da-f:]{1,37}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\p{L}\p{N}:]|\.\d)/giu;

export const ip: Detector = {
  mayBeIn: (text) => /\d\.\d{1,3}\.\d|:[\da-f]{0,4}:/i.test(text),
  *find(text): Iterable<Span> {
    // First: it may end in one of version 4. Words of hexadecimal letters alone (`a::b`) are names of programs.
    yield* matching(text, IP_V6, (found) => /\d/.test(found) && isIPv6(found));
    yield* matching(text, IP_V4);
  },
  normalize: (found) => (isIP(found) === 6 ? new URL(`http://[${found}]`).hostname.slice(1, -1) : found),
  /** The network stays: two octets, or two groups. */
  partial(found) {
    const parts = found.split(found.includes(':') ? ':' : '.');
    return found.includes(':') ? `${parts.slice(0, 2).join(':')}:*` : `${parts.slice(0, 2).join('.')}.*.*`;
  },
};
