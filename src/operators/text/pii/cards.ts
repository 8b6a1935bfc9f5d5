import { holdsLuhn } from './checksums.js';
import { type Detector, digitsOf, GAP_CODES, type Span, starred } from './span.js';

/** Shorter ones are given out no more, and every tenth barcode of a product would be one. */
const DIGITS_MIN = 14;

const MANY = [19, 18, 17, 16, 15, 14];
/** The large networks: from and to which first four digits, and how many there may be in all. */
const NETWORKS: readonly (readonly [from: number, to: number, sizes: readonly number[]])[] = [
  [4000, 4999, [19, 16]], // Visa
  [5100, 5599, [16]], // Mastercard
  [2221, 2720, [16]],
  [3400, 3499, [15]], // American Express
  [3700, 3799, [15]],
  [3000, 3059, [14]], // Diners
  [3600, 3699, [14]],
  [3800, 3899, [14]],
  [3528, 3589, [16]], // JCB
  [6011, 6011, MANY.slice(0, 4)], // Discover
  [6440, 6599, MANY.slice(0, 4)],
  [6200, 6299, MANY.slice(0, 4)], // UnionPay
  [5000, 5099, MANY], // Maestro
  [5600, 5999, MANY],
  [6300, 6399, MANY],
  [6700, 6799, MANY],
];

/**
 * Card numbers: of a known network, of its length, holding Luhn's check; in one piece, or in groups divided by a space or hyphen.
 * Groups beside them that belong to something else are left out; digits of a word, or behind a decimal point, are none.
 */
export const card: Detector = {
  digitsMin: DIGITS_MIN,
  find: cardsIn,
  normalize: digitsOf,
  partial: (found) => starred(found, 0, 4),
};

function* cardsIn(text: string): Iterable<Span> {
  const { digits, places, runs } = digitsIn(text);
  const isFirst = (at: number) => places[at - 1] !== (places[at] as number) - 1;
  for (let first = 0; first <= digits.length - DIGITS_MIN; first++) {
    if ((runs[first + DIGITS_MIN - 1] as number) > first || !isFirst(first)) continue;
    const start = places[first] as number;
    for (const size of sizesOf(Number(digits.slice(first, first + 4)))) {
      const last = first + size - 1;
      if (last >= digits.length || (runs[last] as number) > first) continue;
      if (!(last === digits.length - 1 || isFirst(last + 1)) || !holdsLuhn(digits, first, last + 1)) continue;
      const end = (places[last] as number) + 1;
      if (isPart(text, start, end)) continue;
      yield { start, end };
      first = last;
      break;
    }
  }
}

/** All digits, where they stand, and with which one of them the run begins that each belongs to: digits with single gaps between. */
function digitsIn(text: string) {
  const codes = Buffer.alloc(text.length);
  const places = new Uint32Array(text.length);
  const runs = new Uint32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) continue;
    const before = count === 0 ? -3 : (places[count - 1] as number);
    const goesOn = before === at - 1 || (before === at - 2 && GAP_CODES.has(text.charCodeAt(at - 1)));
    runs[count] = goesOn ? (runs[count - 1] as number) : count;
    codes[count] = code;
    places[count++] = at;
  }
  return { digits: codes.toString('latin1', 0, count), places, runs };
}

/** How many digits a card has that begins with these four, the most first: the first digits of a long one may be a card too. */
function sizesOf(firstFour: number): readonly number[] {
  for (const [from, to, sizes] of NETWORKS) if (firstFour >= from && firstFour <= to) return sizes;
  return [];
}

/** A letter beside it, or the point of a number in front, makes it a part of something else. */
const isPart = (text: string, start: number, end: number): boolean =>
  /(?:\p{L}|\d[.,])$/u.test(text.slice(Math.max(0, start - 2), start)) || /^\p{L}/u.test(text.slice(end, end + 2));
