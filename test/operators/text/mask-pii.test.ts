import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { FF1 } from '@noble/ciphers/ff1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Masking, type MaskPiiOptions, maskPii } from '../../../src/operators/text/mask-pii.js';
import { findPii, piiKinds } from '../../../src/operators/text/pii/kinds.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';
import { describe as describeTopology, topology } from '../../../src/topology/index.js';

interface Note {
  readonly note: string | null;
  readonly contact?: string;
}
const key = 'a secret of the test, 32 bytes ..';
const operator = (find: MaskPiiOptions<Note>['find'], options: Partial<MaskPiiOptions<Note>> = {}) =>
  maskPii<Note>({ fields: ['note'], find, key, ...options });
const masked = (find: MaskPiiOptions<Note>['find'], note: string, options: Partial<MaskPiiOptions<Note>> = {}) => {
  const { emitted, failure } = driveOperator(operator(find, options), [{ value: { note } }]);
  expect(failure).toBe(undefined);
  return emitted.map(({ value }) => (value as Note).note)[0] as string;
};
const text = 'Ann (ann@example.com) paid by 4111 1111 1111 1111, IBAN DE89370400440532013000.';

describe('maskPii', () => {
  it('keeps the operator contract', () =>
    checkOperator(
      maskPii<Note, 'pii'>({
        fields: ['note', 'contact'],
        find: { email: 'token', card: 'partial' },
        key,
        mark: 'pii',
      }),
      [{ value: { note: text } }, { value: { note: null } }, { value: { note: 'nothing', contact: 'a@b.de' } }],
    ));

  it('replaces, hides in part, or leaves it', () => {
    expect(masked({ email: 'replace', card: 'partial', iban: 'keep' }, text)).toBe(
      'Ann ([email]) paid by **** **** **** 1111, IBAN DE89370400440532013000.',
    );
    expect(masked({ phone: 'replace' }, text)).toBe(text);
  });

  it('finds what is written in fullwidth characters, in digits of other scripts, or with characters that nobody sees', () => {
    const wide = (ascii: string) => ascii.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));
    const arabic = (ascii: string) => ascii.replace(/\d/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0x630));
    const card = '4111111111111111';
    const bold = (ascii: string) => ascii.replace(/\d/g, (c) => String.fromCodePoint(0x1d7d8 + Number(c)));
    for (const hidden of [
      bold(card),
      wide(card),
      arabic(card),
      card.split('').join('\u200b'),
      '4111\u00ad1111\ufeff1111\u20601111',
    ]) {
      expect(masked({ card: 'replace' }, `🙂 by ${hidden} ok`)).toBe('🙂 by [card] ok');
      expect(masked({ card: 'token' }, hidden)).toBe(masked({ card: 'token' }, card));
      expect(masked({ card: 'partial' }, hidden)).toBe('************1111');
      expect(masked({ card: 'encrypt' }, hidden)).toBe(masked({ card: 'encrypt' }, card));
      expect(masked({ card: 'keep' }, `by ${hidden}`)).toBe(`by ${hidden}`);
    }
    for (const mail of [wide('ann@example.com'), 'a\u200bnn@exam\u200dple.com'])
      expect(masked({ email: 'token' }, mail)).toBe(masked({ email: 'token' }, 'ann@example.com'));
  });

  it('refuses a record with more findings than it may have, whatever the field', () => {
    const find = { email: 'token', ip: 'keep' } as const;
    const options = { fields: ['note', 'contact'], find, key, findingsMax: 3 } as const;
    const record = (note: string, contact: string) => ({ value: { note, contact } });
    const { emitted, deadLetters } = driveOperator(maskPii<Note>(options), [
      record('a@b.de a@b.de', '192.0.2.1'),
      record('a@b.de a@b.de', '192.0.2.1 a@b.de'),
      record('::1 '.repeat(200_000), ''),
    ]);
    expect(emitted).toHaveLength(1);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['too-many-findings', 'too-many-findings']);
    expect(operator({ ip: 'keep' }, { findingsMax: 0 }).problems).toHaveLength(1);
  });

  it('makes the same token of the same data, however it is spelled', () => {
    const token = (note: string, options = {}) =>
      masked({ email: 'token', card: 'token', phone: 'token' }, note, options);
    expect(token('ann@example.com')).toMatch(/^\[email:[\w-]{22}\]$/);
    expect(token('Ann@Example.com')).toBe(token('ann@example.com'));
    expect(token('4111-1111-1111-1111')).toBe(token('4111111111111111'));
    expect(token('(213) 373-4253')).toBe(token('+1 213 373 4253'));
    expect(token('bob@example.com')).not.toBe(token('ann@example.com'));
    expect(token('ann@example.com', { key: 'another secret, also long' })).not.toBe(token('ann@example.com'));
    expect(token('ann@example.com', { key: new TextEncoder().encode(key) })).toBe(token('ann@example.com'));
  });

  it('the token is HMAC-SHA-256 of kind and data', () => {
    // printf 'email\0ann@example.com' | openssl dgst -sha256 -hmac '...' -binary | base64url
    expect(masked({ email: 'token' }, 'ann@example.com', { key: 'k'.repeat(16) })).toMatchInlineSnapshot(
      `"[email:gpOkaAvzuh9T2q6KDPuHDd]"`,
    );
  });

  it('encrypts digits in their form, the same of the same, others of others', () => {
    const find = { card: 'encrypt', phone: 'encrypt', 'us-ssn': 'encrypt', 'es-dni': 'encrypt' } as const;
    const hidden = masked(find, 'pay 4111 1111-1111 1111 of 12345678Z');
    expect(hidden).toMatch(/^pay \d{4} \d{4}-\d{4} \d{4} of \d{8}Z$/);
    expect(hidden).not.toContain('1111');
    expect(masked(find, '4111111111111111')).toBe(masked(find, '4111 1111 1111 1111').replaceAll(' ', ''));
    expect(masked(find, '4111111111111111', { key: 'another secret, also long' })).not.toBe(
      masked(find, '4111111111111111'),
    );
    const numbers = Array.from({ length: 200 }, (_, i) => `536-90-${1000 + i}`);
    expect(new Set(numbers.map((number) => masked(find, number))).size).toBe(200);
  });

  it('the encryption is FF1: the published vectors, and it can be taken back', () => {
    // NIST SP 800-38G, samples 1 and 2.
    const aes = Uint8Array.from(Buffer.from('2B7E151628AED2A6ABF7158809CF4F3C', 'hex'));
    const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(FF1(10, aes).encrypt(digits).join('')).toBe('2433477484');
    expect(
      FF1(10, aes, Uint8Array.from(Buffer.from('39383736353433323130', 'hex')))
        .encrypt(digits)
        .join(''),
    ).toBe('6124200773');
    const derived = createHmac('sha256', key).update('format-preserving').digest();
    const hidden = [...masked({ card: 'encrypt' }, '4111111111111111')].map(Number);
    const cipher = FF1(10, Uint8Array.from(derived), new TextEncoder().encode('card'));
    expect(cipher.decrypt(hidden).join('')).toBe('4111111111111111');
  });

  it('leaves nothing to be found, for any text', () => {
    const part = fc.constantFrom(
      'ann@example.com',
      ' ',
      ', ',
      '4111111111111111',
      '+44 20 7946 0958',
      '192.0.2.1',
      'x',
      '12',
    );
    const all = (masking: Masking) => Object.fromEntries(piiKinds.map((kind) => [kind, masking]));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        expect(findPii(masked(all('replace'), parts.join(' ')), piiKinds)).toEqual([]);
        expect(masked(all('keep'), parts.join(''))).toBe(parts.join(''));
      }),
    );
  });

  it('marks and counts what it found, and copies only what it changed', () => {
    const whole = { value: { note: 'nothing here' } };
    const two = { value: { note: 'a@b.de, c@d.de', contact: '192.0.2.1' } };
    const find = { email: 'replace', ip: 'keep' } as const;
    const plain = driveOperator(maskPii<Note>({ fields: ['note', 'contact'], find }), [whole, two]);
    expect(plain.emitted[0]?.value).toBe(whole.value);
    expect(plain.emitted[1]?.value).toEqual({ note: '[email], [email]', contact: '192.0.2.1' });
    expect(two.value.note).toBe('a@b.de, c@d.de');
    expect(plain.counters).toEqual({ 'found:email': 2, 'found:ip': 1 });
    const marked = driveOperator(maskPii<Note, 'pii'>({ fields: ['note', 'contact'], find, mark: 'pii' }), [
      whole,
      two,
    ]);
    expect(marked.emitted.map(({ value }) => (value as { pii: object }).pii)).toEqual([{}, { email: 2, ip: 1 }]);
  });

  it('shows its key nowhere', () => {
    const weak = operator({ email: 'token' }, { key: 'short secret' });
    const step = operator({ email: 'token' });
    const source = {
      connector: 'x',
      kind: 'x',
      settings: {},
      options: {},
      schema: { subject: 'x', format: 'json' },
    } as never;
    const whole = topology('t', { deadLetters: source }, (t) => {
      t.source<Note>('notes', source).via('mask', step).to('out', source);
    });
    const shown = [step, weak, whole].flatMap((value) => [
      JSON.stringify(value),
      inspect(value, { depth: 9, showHidden: true }),
    ]);
    shown.push(describeTopology(whole), JSON.stringify(driveOperator(step, [{ value: { note: text } }])));
    for (const view of shown) {
      expect(view).not.toContain('secret');
      expect(view).not.toContain(Buffer.from(key).toString('base64').slice(0, 12));
    }
  });

  it('is described by what it seeks, and says what is wrong with it', () => {
    expect(operator({ email: 'token', card: 'partial' }).settings).toEqual({
      fields: 'note',
      email: 'token',
      card: 'partial',
    });
    expect(operator({ email: 'token' }).problems).toEqual([]);
    const problems = (find: object, options: Partial<MaskPiiOptions<Note>> = {}) =>
      operator(find, options).problems?.map(({ message }) => message);
    expect(problems({ email: 'token' }, { key: undefined })).toEqual(['tokens and encryption need a key']);
    expect(problems({ email: 'token' }, { key: '0123456789abcde' })).toEqual(['the key of tokens is too short']);
    expect(problems({ email: 'replace' }, { key: undefined })).toEqual([]);
    expect(problems({ card: 'encrypt' }, { key: undefined })).toHaveLength(1);
    expect(problems({ email: 'encrypt', ip: 'encrypt' })).toHaveLength(2);
    expect(problems({})).toEqual(['nothing to find']);
    expect(problems({ name: 'replace' })).toEqual(["there is no kind 'name'"]);
    expect(problems({ ip: 'keep' }, { fields: [] })).toEqual(['no field to search']);
  });
});
