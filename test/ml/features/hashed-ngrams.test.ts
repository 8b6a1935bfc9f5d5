import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combine, finish, hashString } from '../../../src/ml/features/hash.js';
import { featureView, type HashedNgramsOptions, hashedNgrams } from '../../../src/ml/features/index.js';

const encode = (text: string | number | null | undefined, options: HashedNgramsOptions) => {
  const into = new Float32Array(options.places + 2);
  hashedNgrams('text', options).encode(text, into, 1);
  expect([into[0], into.at(-1)]).toEqual([0, 0]); // nothing beside its own places
  return into.slice(1, -1);
};
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

describe('hashedNgrams', () => {
  it('counts each run at a place and with a sign by its hash, as a plain model does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '👍'), maxLength: 30 });
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('words' as const, 'characters' as const),
        fc.integer({ min: 1, max: 3 }),
        (text, of, size) => {
          const parts = of === 'words' ? text.split(/\s+/).filter((word) => word !== '') : text.split('');
          const counts = new Array<number>(16).fill(0);
          for (let i = 0; i + size <= parts.length; i++) {
            const run = parts.slice(i, i + size);
            const codes = run.map((part) => (of === 'words' ? hashString(part) : part.charCodeAt(0)));
            const hash = finish(codes.reduce(combine, size));
            const place = (hash >>> 1) % 16;
            counts[place] = (counts[place] as number) + (hash & 1 ? -1 : 1);
          }
          const length = Math.hypot(...counts) || 1;
          encode(text, { of, sizes: [size], places: 16 }).forEach((x, i) => {
            expect(x).toBeCloseTo((counts[i] as number) / length, 5);
          });
        },
      ),
    );
  });

  it('has length 1, and likeness for a product', () => {
    const options = { sizes: [3], places: 1_024 };
    const vectors = ['the flight was late', 'the flight was lat', 'quite another text, in fact'].map((text) =>
      encode(text, options),
    );
    const [late, typo, other] = vectors as [Float32Array, Float32Array, Float32Array];
    expect(dot(late, late)).toBeCloseTo(1, 5);
    expect(dot(late, typo)).toBeGreaterThan(0.9);
    expect(Math.abs(dot(late, other))).toBeLessThan(0.25);
  });

  it('is all 0 for what is missing or too short', () => {
    for (const text of [null, undefined, '', 'ab']) expect(encode(text, { places: 8 })).toEqual(new Float32Array(8));
    expect(encode(1234, { places: 8 })).toEqual(encode('1234', { places: 8 }));
  });

  it('looks at so many characters', () => {
    const options = { places: 64, charsMax: 5 };
    expect(encode('abcdefgh', options)).toEqual(encode('abcde', options));
  });

  it('fills its places in a view, beside others', () => {
    const columns = { title: (row: { title: string }) => row.title };
    const view = featureView({ name: 'v', version: 1, columns, features: { a: hashedNgrams('title', { places: 4 }) } });
    expect(view.shape.denseSize).toBe(4);
    expect(view.denseNames).toEqual(['a.0', 'a.1', 'a.2', 'a.3']);
  });

  it('never moves: stored models depend on it', () =>
    expect(
      [...encode('Millrace', { sizes: [2, 3], places: 8 })].map((x) => Number(x.toFixed(4))),
    ).toMatchInlineSnapshot(`
      [
        0,
        -0.1857,
        -0.1857,
        0.7428,
        0.5571,
        0.1857,
        0,
        -0.1857,
      ]
    `));

  it('refuses sizes, places and lengths that cannot be', () => {
    for (const options of [
      { places: 0 },
      { places: 8, sizes: [] },
      { places: 8, sizes: [1.5] },
      { places: 8, charsMax: Number.NaN },
    ])
      expect(() => hashedNgrams('text', options)).toThrow(/^hashedNgrams: sizes is/);
  });
});
