import { holdsLuhn } from './checksums.js';
import { type Detector, digitsOf, type Span, starred } from './span.js';

const RUN = /\d(?:[ -]?\d){12,}/g;
const GROUP = /\d+/g;
const DIGITS_MAX = 19;

/** First digits and lengths of the large networks: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro. */
const NETWORKS =
  /^(?:4\d{12}(?:\d{3}(?:\d{3})?)?|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|62\d{14,17}|(?:50|5[6-9]|6[37])\d{11,17})$/;

const isCard = (digits: string): boolean => NETWORKS.test(digits) && holdsLuhn(digits);

/**
 * Card numbers: of a known network, of its length, holding Luhn's check; in one piece, or in groups divided by a space or hyphen.
 * Groups beside them that belong to something else are left out.
 */
export const card: Detector = {
  needs: /\d/,
  *find(text) {
    for (const { 0: run, index } of text.matchAll(RUN)) {
      const groups = [...run.matchAll(GROUP)].map(({ 0: digits, index: at }) => ({ digits, start: index + at }));
      yield* cardsIn(groups);
    }
  },
  normalize: digitsOf,
  partial: (found) => starred(found, 0, 4),
};

function* cardsIn(groups: readonly { readonly digits: string; readonly start: number }[]): Iterable<Span> {
  for (let first = 0; first < groups.length; first++) {
    let digits = '';
    for (let last = first; last < groups.length; last++) {
      const group = groups[last] as (typeof groups)[number];
      digits += group.digits;
      if (digits.length > DIGITS_MAX) break;
      if (digits.length < 13 || !isCard(digits)) continue;
      yield { start: (groups[first] as (typeof groups)[number]).start, end: group.start + group.digits.length };
      first = last;
      break;
    }
  }
}
