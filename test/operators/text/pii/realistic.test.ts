import { describe, expect, it } from 'vitest';
import { findPii, type PiiKind, piiKinds } from '../../../../src/operators/text/pii/kinds.js';

const found = (text: string, ...kinds: PiiKind[]) =>
  findPii(text, kinds.length > 0 ? kinds : piiKinds)?.map(
    ({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`,
  );

describe('personal data as texts have it', () => {
  it('stands behind names of fields', () => {
    expect(found('?email=ann@example.com&to=bob.b@example.org')).toEqual([
      'email: ann@example.com',
      'email: bob.b@example.org',
    ]);
    for (const text of ["o'brien@example.ie", 'ann@example.com', '_x.y+z@example.com'])
      for (const mark of ["'", '"', '*', '`', '<', '{', '|', '/'])
        expect(found(`${mark}${text}${mark}`)).toEqual([`email: ${text}`]);
    expect(found('id:2001:db8::1, addr:fe80::1ff:fe23:4567:890a')).toEqual([
      'ip: 2001:db8::1',
      'ip: fe80::1ff:fe23:4567:890a',
    ]);
  });

  it.each(['\u00a0', '\u202f', '\u2009'])('has spaces that do not break a line (%j)', (space) => {
    for (const [kind, plain] of [
      ['card', '4111 1111 1111 1111'],
      ['iban', 'DE89 3704 0044 0532 0130 00'],
      ['phone', '+44 121 234 5678'],
      ['phone', '201 555 0123'],
      ['fr-nir', '2 55 08 14 168 025 38'],
      ['gb-nino', 'AB 12 34 56 C'],
    ] as const) {
      const text = plain.replaceAll(' ', space);
      expect(found(`(${text})`)).toEqual([`${kind}: ${text}`]);
    }
  });

  it.each(['\u2010', '\u2011'])('has hyphens of its own (%j)', (hyphen) => {
    for (const [kind, plain] of [
      ['card', '4111-1111-1111-1111'],
      ['phone', '+1-201-555-0123'],
      ['us-ssn', '536-90-4399'],
    ] as const) {
      const text = plain.replaceAll('-', hyphen);
      expect(found(`(${text})`)).toEqual([`${kind}: ${text}`]);
    }
  });

  it('has phones as Germans write them', () => {
    expect(found('Tel. +49 (0) 89 / 636-48018.')).toEqual(['phone: +49 (0) 89 / 636-48018']);
  });

  it('has Spanish numbers as they are printed', () => {
    for (const text of ['54362315K', '54.362.315-K', '54362315 K', '54.362.315 K'])
      expect(found(`DNI ${text}.`)).toEqual([`es-dni: ${text}`]);
    expect(found('order 54362315 k', 'es-dni')).toEqual([]);
  });

  it('is the longest that it may be', () => {
    // The first sixteen digits hold Luhn's check too.
    expect(found('4111 1111 1111 1111 110')).toEqual(['card: 4111 1111 1111 1111 110']);
    expect(found('2 56 02 44 591 247 42')).toEqual(['fr-nir: 2 56 02 44 591 247 42']); // its end could be a card
  });

  it('is no part of a number, a word, a program or a product', () => {
    expect(found('0.4111111111111111 and 3,4111111111111111')).toEqual([]);
    expect(found('1Z4111111111111111 or 4111111111111111X')).toEqual([]);
    expect(found('std::vector a::b cafe::babe Dead::Beef 12:30:45')).toEqual([]);
    expect(found('EAN 4000000000006, 4222222222222')).toEqual([]); // barcodes of Germany begin like cards
    expect(found('+81312345678')).toEqual(['phone: +81312345678']); // its digits would be a PESEL
  });
});
