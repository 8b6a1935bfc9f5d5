import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsLuhn, remainderBy97 } from '../../../../src/operators/text/pii/checksums.js';
import { detectorOf, findPii, type PiiKind, piiKinds } from '../../../../src/operators/text/pii/kinds.js';

const found = (text: string, ...kinds: PiiKind[]) =>
  findPii(text, kinds.length > 0 ? kinds : piiKinds)?.map(
    ({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`,
  );
const partial = (kind: PiiKind, text: string) => detectorOf(kind).partial(text);

describe('card numbers', () => {
  // The numbers that payment providers publish for tests.
  const published = [
    '4111111111111111',
    '4012888888881881',
    '5555555555554444',
    '5105105105105100',
    '2223003122003222',
    '378282246310005',
    '371449635398431',
    '30569309025904',
    '38520000023237',
    '6011111111111117',
    '6011000990139424',
    '3530111333300000',
    '3566002020360505',
    '6200000000000005',
  ];

  it.each(published)('finds %s, in one piece and in groups', (number) => {
    expect(found(`pay ${number}.`, 'card')).toEqual([`card: ${number}`]);
    for (const divider of [' ', '-']) {
      const grouped = number.replace(/(.{4})(?=.)/g, `$1${divider}`);
      expect(found(`pay ${grouped}!`, 'card')).toEqual([`card: ${grouped}`]);
    }
  });

  it.each(published)('does not find %s with one digit changed, or with one more', (number) => {
    for (let at = 0; at < number.length; at++) {
      const digit = (Number(number[at]) + 1) % 10;
      expect(found(`${number.slice(0, at)}${digit}${number.slice(at + 1)}`, 'card')).toEqual([]);
    }
    expect(found(`${number}0000000`, 'card')).toEqual([]);
  });

  it('are those of a network, in its lengths alone', () => {
    // By what the networks publish of their first digits.
    const networks: readonly (readonly [RegExp, ...sizes: number[]])[] = [
      [/^4/, 16, 19], // Visa
      [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, 16], // Mastercard
      [/^3[47]/, 15], // American Express
      [/^3(0[0-5]|6|8)/, 14], // Diners
      [/^35(2[89]|[3-8])/, 16], // JCB
      [/^(6011|64[4-9]|65|62)/, 16, 17, 18, 19], // Discover, UnionPay
      [/^(50|5[6-9]|63|67)/, 14, 15, 16, 17, 18, 19], // Maestro
    ];
    const wrong: string[] = [];
    for (let first = 0; first < 10_000; first++) {
      const start = String(first).padStart(4, '0');
      for (let size = 12; size <= 20; size++) {
        const known = `${start}${'3'.repeat(size - 5)}`;
        const number = known + [...'0123456789'].find((check) => holdsLuhn(known + check));
        const isOne = networks.some(([pattern, ...sizes]) => pattern.test(start) && sizes.includes(size));
        if ((found(`no ${number}`, 'card')?.length === 1) !== isOne) wrong.push(number);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('leaves out groups that belong to something else', () => {
    expect(found('order 12 4111 1111 1111 1111 2026 and 378282246310005', 'card')).toEqual([
      'card: 4111 1111 1111 1111',
      'card: 378282246310005',
    ]);
    expect(found('1234567812345670', 'card')).toEqual([]); // holds Luhn, but no network has it
    expect(found('0'.repeat(16), 'card')).toEqual([]);
    for (const between of ['x', '+', '  ', ' - '])
      expect(found(['4111', '1111', '1111', '1111'].join(between), 'card')).toEqual([]);
  });

  it('shows the last four digits in part', () => {
    expect(partial('card', '4111 1111 1111 1111')).toBe('**** **** **** 1111');
  });

  it('Luhn finds each single error, and agrees with the published example', () => {
    expect(holdsLuhn('79927398713')).toBe(true); // of Wikipedia
    fc.assert(
      fc.property(fc.stringMatching(/^\d{1,18}$/), fc.nat(17), fc.integer({ min: 1, max: 9 }), (digits, at, change) => {
        const check = [...'0123456789'].find((last) => holdsLuhn(digits + last)) as string;
        const place = at % digits.length;
        const other = (Number(digits[place]) + change) % 10;
        expect(holdsLuhn(`${digits.slice(0, place)}${other}${digits.slice(place + 1)}${check}`)).toBe(false);
      }),
    );
  });
});

describe('account numbers', () => {
  // Examples of SWIFT's registry of IBANs.
  it.each([
    'GB29 NWBK 6016 1331 9268 19',
    'DE89 3704 0044 0532 0130 00',
    'FR14 2004 1010 0505 0001 3M02 606',
    'NL91 ABNA 0417 1643 00',
    'NO93 8601 1117 947',
    'MT84 MALT 0110 0001 2345 MTLC AST0 01S',
    'CH93 0076 2011 6238 5295 7',
    'ES91 2100 0418 4502 0005 1332',
    'SA03 8000 0000 6080 1016 7519',
    'BR18 0036 0305 0000 1000 9795 493C 1',
  ])('finds %s, in groups, in one piece, in lower case', (number) => {
    for (const spelled of [number, number.replaceAll(' ', ''), number.toLowerCase()]) {
      expect(found(`to ${spelled} thanks`, 'iban')).toEqual([`iban: ${spelled}`]);
      expect(detectorOf('iban').normalize(spelled)).toBe(number.replaceAll(' ', ''));
      for (const wrong of [
        spelled.replace(/\d/, (d) => String((Number(d) + 1) % 10)),
        `${spelled}1`,
        spelled.slice(0, -1),
      ])
        expect(found(`to ${wrong}, thanks`, 'iban')).toEqual([]);
    }
  });

  it('shows country and last four in part', () => {
    expect(partial('iban', 'DE89 3704 0044 0532 0130 00')).toBe('DE** **** **** **** **30 00');
  });

  it('the remainder by 97 is that of a large number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (n) => {
        expect(remainderBy97(String(n))).toBe(Number(n % 97n));
      }),
    );
    expect(remainderBy97('3214282912345698765432161182')).toBe(1); // GB82 WEST 1234 5698 7654 32, of Wikipedia, in digits
  });
});

describe('contacts', () => {
  it('finds addresses', () => {
    const addresses = [
      'ann@example.com',
      'a.b+c_d@mail.example.co.uk',
      "o'hara@example.org",
      'müller@exämple.de',
      'x@1.de',
    ];
    for (const address of addresses) expect(found(`<${address}>, or`, 'email')).toEqual([`email: ${address}`]);
    expect(found('at ann@example.com.', 'email')).toEqual(['email: ann@example.com']);
    for (const none of ['@ann', 'ann@', 'ann@localhost', 'ann @example.com', 'a@b@', 'a@-b.com', 'a@b.1'])
      expect(found(none, 'email')).toEqual([]);
    expect(partial('email', 'ann.lee@example.com')).toBe('a**.***@example.com');
    expect(partial('email', 'a@example.com')).toBe('*@example.com'); // nothing would be hidden
  });

  it('finds numbers of telephones', () => {
    const numbers = [
      '+44 20 7946 0958',
      '+1 (213) 373-4253',
      '+49(89)123456',
      '0049 89 1234567',
      '(213) 373-4253',
      '213-373-4253',
      '1-800-555-0199',
    ];
    for (const number of numbers) expect(found(`call ${number}, now`, 'phone')).toEqual([`phone: ${number}`]);
    for (const none of [
      '2026-11-26 12:30:45',
      '+12',
      '12345678',
      '2133734253',
      '113-373-4253',
      '+1234567890123456',
      'AB+4420794609',
    ])
      expect(found(none, 'phone')).toEqual([]);
    const { normalize } = detectorOf('phone');
    expect(['+1 213 373 4253', '001 (213) 373-4253', '(213) 373-4253', '1-213-373-4253'].map(normalize)).toEqual(
      new Array(4).fill('+12133734253'),
    );
    // Ten digits that are no number of North America, since a country stands before them.
    expect(['+45 12 34 56 78', '0045 12345678'].map(normalize)).toEqual(new Array(2).fill('+4512345678'));
    expect(partial('phone', '+44 20 7946 0958')).toBe('+** ** **** **58');
  });

  it('finds addresses of the internet', () => {
    const addresses = [
      '192.0.2.1',
      '255.255.255.255',
      '2001:db8::1',
      '::1',
      'fe80::1:2:3',
      '2001:0db8:0000:0000:0000:ff00:0042:8329',
      '::ffff:192.0.2.1',
    ];
    for (const address of addresses) expect(found(`from ${address} at`, 'ip')).toEqual([`ip: ${address}`]);
    for (const none of [
      '256.1.1.1',
      '1.2.3',
      '1.2.3.4.5',
      'v1.2.3.4',
      '01.2.3.4',
      '12:30:45',
      'std::vector',
      '::',
      '1::2::3',
    ])
      expect(found(none, 'ip')).toEqual([]);
    expect(found('(192.0.2.1).', 'ip')).toEqual(['ip: 192.0.2.1']);
    const { normalize } = detectorOf('ip');
    expect(normalize('2001:0DB8:0:0:0:FF00:42:8329')).toBe(normalize('2001:db8::ff00:42:8329'));
    expect([partial('ip', '192.0.2.1'), partial('ip', '2001:db8::1')]).toEqual(['192.0.*.*', '2001:db8:*']);
  });
});

describe('numbers of persons', () => {
  // Published examples, and each with its check broken.
  it.each<[PiiKind, string[], string[]]>([
    [
      'us-ssn',
      ['536-90-4399', '899-12-3456'],
      ['000-12-3456', '666-12-3456', '900-12-3456', '536-00-4399', '536-90-0000', '536904399'],
    ],
    ['gb-nino', ['AB123456C', 'ab 12 34 56 c'], ['BG123456C', 'QQ123456C', 'AO123456C', 'AB123456E', 'AB12345C']],
    [
      'es-dni',
      ['12345678Z', '54362315-K', 'X2482300W', 'X-5253868-R'],
      ['12345678A', '54362315Z', 'X2482300A', 'X3287690R1'],
    ],
    [
      'fr-nir',
      ['295109912611193', '2 95 10 99 126 111 93', '253072B07300470', '253072A07300443'],
      ['295109912611199', '253072B07300407', '595109912611193'],
    ],
    [
      'br-cpf',
      ['390.533.447-05', '39053344705', '529.982.247-25'],
      ['231.002.999-00', '390.533.447-06', '111.111.111-11'],
    ],
    ['pl-pesel', ['44051401359', '02070803628'], ['44051401358', '44053201359', '00000000000']],
  ])('%s', (kind, right, wrong) => {
    for (const number of right) expect(found(`no. ${number}, please`, kind)).toEqual([`${kind}: ${number}`]);
    for (const number of wrong) expect(found(`no. ${number}, please`, kind)).toEqual([]);
  });
});

describe('all kinds together', () => {
  it('share a text, in its order, without overlap', () => {
    const text =
      'Ann (ann@example.com, +44 20 7946 0958) paid from DE89 3704 0044 0532 0130 00 by 4111-1111-1111-1111 at 192.0.2.1; SSN 536-90-4399';
    expect(found(text)).toEqual([
      'email: ann@example.com',
      'phone: +44 20 7946 0958',
      'iban: DE89 3704 0044 0532 0130 00',
      'card: 4111-1111-1111-1111',
      'ip: 192.0.2.1',
      'us-ssn: 536-90-4399',
    ]);
    expect(found('The crew was friendly, flight AA1234 of 2026-11-26 at 12:30, seat 14C, fare 1,234.56')).toEqual([]);
  });

  it('never overlap, whatever is in a text', () => {
    const part = fc.constantFrom(
      '4111 1111 1111 1111',
      '+',
      '1',
      '-',
      ' ',
      '@',
      'a.de',
      '192.0.2.1',
      ':',
      'DE89370400440532013000',
      '536-90-4399',
      '213-373-4253',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const findings = findPii(parts.join(''), piiKinds) ?? [];
        for (let i = 1; i < findings.length; i++)
          expect(findings[i]?.start).toBeGreaterThanOrEqual(findings[i - 1]?.end as number);
      }),
    );
  });

  it('are found where one address stands right behind another', () => {
    expect(found("a@x.deo'h!x@y.de", 'email')).toEqual(['email: a@x.deo', 'email: h!x@y.de']);
  });

  it('take as long as a text is long, whatever is in it', () => {
    for (const part of ['1', '1 ', '1-', 'a', 'a.', '@', 'a@', 'DE12', '::', ':a', '1.', '+1', '(', '00', 'x@a-'])
      expect(findPii(part.repeat(50_000 / part.length), piiKinds)?.length).toBeLessThan(25_000);
  });
});
