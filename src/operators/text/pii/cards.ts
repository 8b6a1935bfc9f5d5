import { holdsLuhn } from './checksums.js';
import { type Detector, digitsOf, GAPS, type Span, starred, withDigits } from './span.js';

const RUN = new RegExp(`\\d(?:[${GAPS}]?\\d){13,}`, 'g');
const GROUP = /\d+/g;
/** Shorter ones are given out no more, and every tenth barcode of a product would be one. */
const DIGITS_MIN = 14;
const DIGITS_MAX = 19;

/** First digits and lengths of the large networks: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro. */
const NETWORKS =
  /^(?:4\d{15}(?:\d{3})?|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|62\d{14,17}|(?:50|5[6-9]|6[37])\d{12,17})$/;

const isCard = (digits: string): boolean => NETWORKS.test(digits) && holdsLuhn(digits);

/**
 * Card numbers: of a known network, of its length, holding Luhn's check; in one piece, or in groups divided by a space or hyphen.
 * Groups beside them that belong to something else are left out; digits of a word, or behind a decimal point, are none.
 */
export const card: Detector = {
  mayBeIn: withDigits(DIGITS_MIN),
  *find(text) {
    for (const { 0: run, index } of text.matchAll(RUN)) {
      yield* cardsIn(
        [...run.matchAll(GROUP)].map(({ 0: digits, index: at }) => ({ digits, start: index + at })),
        text,
      );
    }
  },
  normalize: digitsOf,
  partial: (found) => starred(found, 0, 4),
};

interface Group {
  readonly digits: string;
  readonly start: number;
}

function* cardsIn(groups: readonly Group[], text: string): Iterable<Span> {
  for (let first = 0; first < groups.length; first++) {
    const { start } = groups[first] as Group;
    if (PART_BEFORE.test(text.slice(Math.max(0, start - 2), start))) continue;
    const found = longestFrom(groups, first, text);
    if (found === undefined) continue;
    yield { start, end: found.end };
    first = found.last;
  }
}

/** What makes digits a part of something else: a letter, or the point of a number. */
const PART_BEFORE = /(?:\p{L}|\d[.,])$/u;
const PART_AFTER = /^\p{L}/u;

/** The longest card that begins with a group, since the first digits of a long one may be a card too. */
function longestFrom(groups: readonly Group[], first: number, text: string) {
  let digits = '';
  let found: { readonly last: number; readonly end: number } | undefined;
  for (let last = first; last < groups.length; last++) {
    const group = groups[last] as Group;
    digits += group.digits;
    if (digits.length > DIGITS_MAX) break;
    const end = group.start + group.digits.length;
    if (digits.length >= DIGITS_MIN && isCard(digits) && !PART_AFTER.test(text.slice(end, end + 2)))
      found = { last, end };
  }
  return found;
}
