import { remainderBy97 } from './checksums.js';
import { type Detector, lettersAndDigitsOf, SPACES, starred } from './span.js';

const START = /[A-Za-z]{2}\d\d/g;
/** By country, of the lengths in SWIFT's registry of IBANs. */
const FORMS = new Map(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18
   FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20
   LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24
   SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), formOf(Number(entry.slice(2)))]),
);

/** So many letters and digits, with single spaces between them, that are no part of something longer. */
function formOf(length: number): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:[A-Za-z\\d][${SPACES}]?){${length - 1}}[A-Za-z\\d](?![\\p{L}\\p{N}])`, 'uy');
}

/** Account numbers of a country in the registry, of its length, holding the check of ISO 13616; in one piece or in groups. */
export const iban: Detector = {
  digitsMin: 2,
  *find(text) {
    const starts = new RegExp(START);
    while (starts.test(text)) {
      const start = starts.lastIndex - 4;
      const form = FORMS.get(text.slice(start, start + 2).toUpperCase());
      if (form === undefined) continue;
      form.lastIndex = start;
      if (form.test(text) && isIban(lettersAndDigitsOf(text.slice(start, form.lastIndex))))
        yield { start, end: form.lastIndex };
    }
  },
  normalize: lettersAndDigitsOf,
  partial: (found) => starred(found, 2, 4),
};

const isIban = (plain: string): boolean => remainderBy97(plain.slice(4) + plain.slice(0, 4)) === 1;
