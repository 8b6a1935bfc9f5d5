import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnCheck, rowCheck } from '../../../connectors/postgres/unrepresentable.js';
import { fitting, unfitting } from './hostile-cells.js';

describe('what a column of Postgres has no room for', () => {
  it.each(unfitting)('%s: %o', (type, value) => {
    expect(columnCheck(type)(value)).toBeTypeOf('string');
  });

  it.each(fitting)('but room for %s: %o', (type, value) => {
    expect(columnCheck(type)(value)).toBeUndefined();
  });

  it('is a number that has more digits than its column, once it is rounded', () => {
    const digits = fc.array(fc.constantFrom(...'0459'), { minLength: 1, maxLength: 7 }).map((all) => all.join(''));
    const parts = fc.tuple(digits, fc.nat(7), fc.integer({ min: -4, max: 4 }), fc.constantFrom('', '-', '+'));
    fc.assert(
      fc.property(
        parts,
        fc.integer({ min: 1, max: 6 }),
        fc.nat(4),
        ([all, pointAt, exponent, sign], precision, more) => {
          const scale = Math.min(precision, more);
          const point = Math.min(all.length, pointAt);
          const text = `${sign}${all.slice(0, point)}.${all.slice(point)}e${exponent}`;
          // The number times 10^scale, rounded half away from zero.
          const shift = exponent + scale - (all.length - point);
          const divisor = 10n ** BigInt(Math.max(0, -shift));
          const scaled = (2n * BigInt(all) * 10n ** BigInt(Math.max(0, shift)) + divisor) / (2n * divisor);
          const fits = scaled < 10n ** BigInt(precision);
          expect([text, columnCheck(`numeric(${precision}, ${scale})`)(text) === undefined]).toEqual([text, fits]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is a text with more characters than its column, but spaces at its end', () => {
    const texts = fc.array(fc.constantFrom('a', '😀', ' '), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 5 }), (text, length) => {
        const characters = [...text.replace(/ +$/, '')].length;
        const told = characters > length ? `more than ${length} characters` : undefined;
        expect([text, columnCheck(`varchar(${length})`)(text)]).toEqual([text, told]);
      }),
    );
  });

  it('is found at once in a text with many spaces', () => {
    const text = `${' '.repeat(200_000)}b`;
    const sinceMs = performance.now();
    expect(columnCheck('varchar(10)')(text)).toBe('more than 10 characters');
    expect(columnCheck('char(10)')(text.slice(0, -1))).toBeUndefined();
    expect(performance.now() - sinceMs).toBeLessThan(1_000); // 27 s if each space looks for the end
  });

  it('names the column, and asks for the key', () => {
    const check = rowCheck({ table: 't', columns: { id: 'bigint', note: 'text' }, key: ['id'] });
    expect(check({ id: 1, note: 'a\0b' })).toBe('column note (text) has no room for the character NUL');
    expect(check({ note: 'a' })).toBe('column id is in the key, and is null');
    expect(check({ id: 1, note: null })).toBeUndefined();
    expect(check(null)).toBe('column id is in the key, and is null');
  });

  it('is nothing for a column that numbers rows which do not name it', () => {
    const check = rowCheck({ table: 't', columns: { n: 'BIGSERIAL', id: 'serial' }, key: ['id'] });
    expect(check({ id: 1 })).toBe('column n (BIGSERIAL) is never null');
    expect(check({ id: 1, n: null })).toBe('column n (BIGSERIAL) is never null');
    expect(check({ n: 1 })).toBe('column id is in the key, and is null');
    expect(check({ id: 1, n: 2 })).toBeUndefined();
  });

  it('is told of a time with many spaces at once', () => {
    const sinceMs = performance.now();
    expect(columnCheck('timestamptz')(`2026-01-01${' '.repeat(200_000)}b`)).toBeTypeOf('string');
    expect(performance.now() - sinceMs).toBeLessThan(1_000);
  });
});
