import { remainderBy97, weightedSum } from './checksums.js';
import { type Detector, digitsOf, HYPHENS, lettersAndDigitsOf, matching, SPACES, starred } from './span.js';

// Numbers of persons that have a check, or a form that nothing else has. Those that are nine plain digits are left out: every
// eleventh number would be one.

/**
 * So many digits at least, in a form that stands by itself: not in a word, a longer number, or an international phone number. It is
 * sought by how it begins: most places of a text are passed by that, and what stands in front of the others takes longer to see.
 */
const id = (
  digits: number,
  start: string,
  form: string,
  isOne: (plain: string) => boolean,
  flags = 'giu',
): Detector => {
  const alone = new RegExp(`(?=${start})(?<![\\p{L}\\p{N}+])(?:${form})(?![\\p{L}\\p{N}])`, flags);
  return {
    digitsMin: digits,
    find: (text) => matching(text, alone, (found) => isOne(lettersAndDigitsOf(found))),
    normalize: lettersAndDigitsOf,
    partial: (found) => starred(found, 0, 2),
  };
};

/** A space that may be left out; a hyphen. */
const S = `[${SPACES}]?`;
const H = `[${HYPHENS}]`;

/** US social security number, with hyphens: no area of 000, 666 or 9xx, no group of 00, no serial of 0000. */
export const usSsn = id(
  9,
  String.raw`\d{3}${H}`,
  String.raw`(?<!${H})(?!000|666|9)\d{3}${H}(?!00)\d\d${H}(?!0000)\d{4}(?!${H})`,
  () => true,
);

/** UK national insurance number: two letters of those in use, six digits, A to D. */
export const gbNino = id(
  6,
  `[A-Z]{2}${S}\\d`,
  String.raw`(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]${S}\d\d${S}\d\d${S}\d\d${S}[A-D]`,
  () => true,
);

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/**
 * Spanish DNI and NIE: a number, with points as it is printed or without, X, Y or Z in front of that of a foreigner, and the letter
 * of its remainder by 23; behind a space only a capital one, since `a` is a word.
 */
export const esDni = id(
  7,
  String.raw`\d(?:\d{4}|\d\.)|[XYZxyz]${H}?\d`,
  String.raw`(?:\d{8}|\d\d\.\d{3}\.\d{3}|[XYZxyz]${H}?\d{7})(?:${H}?[A-Za-z]|[${SPACES}][A-Z])`,
  (plain) => {
    const number = Number(plain.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))));
    return DNI_LETTERS[number % 23] === plain.at(-1);
  },
  'gu',
);

/** French NIR: sex, year and month of birth, department, commune, order; its key makes it a multiple of 97. 2A and 2B are Corsica. */
export const frNir = id(
  14,
  String.raw`[1-478]${S}\d\d${S}\d\d${S}\d`,
  String.raw`[1-478]${S}\d\d${S}(?:0[1-9]|1[0-2]|[2-9]\d)${S}(?:\d\d|2[AB])${S}\d{3}${S}\d{3}${S}\d\d`,
  (plain) => {
    const number = plain.slice(0, 13).replace('2A', '19').replace('2B', '18');
    return 97 - remainderBy97(number) === Number(plain.slice(13));
  },
);

const descending = (from: number) => Array.from({ length: from - 1 }, (_, i) => from - i);

/** Brazilian CPF: nine digits and two checks by 11; not eleven times the same. */
export const brCpf = id(11, String.raw`\d{3}\.?\d{3}`, String.raw`\d{3}\.?\d{3}\.?\d{3}${H}?\d\d`, (plain) => {
  const check = (weights: readonly number[]) => ((weightedSum(plain, weights) * 10) % 11) % 10;
  return !/^(\d)\1*$/.test(plain) && `${check(descending(10))}${check(descending(11))}` === plain.slice(9);
});

/** Polish PESEL: date of birth, with the century in the month, order, and a check by 10. */
export const plPesel = id(
  11,
  String.raw`\d{6}`,
  String.raw`\d\d(?:[02468][1-9]|[13579][0-2])(?:0[1-9]|[12]\d|3[01])\d{5}`,
  (plain) => {
    const digits = digitsOf(plain);
    return weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
  },
);
