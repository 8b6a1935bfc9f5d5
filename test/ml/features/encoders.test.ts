import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../src/ml/features/bucket.js';
import { bucket, cyclic, type DenseFeature, numeric, oneHot } from '../../../src/ml/features/index.js';

const encoded = (feature: DenseFeature<string>, value: string | number | null | undefined) => {
  const into = new Float32Array(feature.width + 2);
  feature.encode(value, into, 1);
  expect([into[0], into[into.length - 1]]).toEqual([0, 0]); // never beyond its own places
  return Array.from(into.slice(1, -1));
};

describe('numeric', () => {
  it('moves and scales by what it was given', () => {
    expect(encoded(numeric('x', { center: 10, scale: 4 }), 12)).toEqual([0.5]);
    expect(encoded(numeric('x'), -3)).toEqual([-3]);
  });
  it('does not invent what is missing', () => {
    for (const missing of [null, undefined, 'twelve']) expect(encoded(numeric('x'), missing)).toEqual([Number.NaN]);
  });
});

describe('oneHot', () => {
  it('has a place for each value listed and none for others', () => {
    const weather = oneHot('weather', ['fair', 'rain', 3]);
    expect(encoded(weather, 'rain')).toEqual([0, 1, 0]);
    expect(encoded(weather, 3)).toEqual([0, 0, 1]);
    for (const other of ['3', 'hail', null, undefined]) expect(encoded(weather, other)).toEqual([0, 0, 0]);
  });
});

describe('bucket', () => {
  it('sets the place of the interval', () => {
    const distance = bucket('distance', [300, 700]);
    expect(encoded(distance, 299)).toEqual([1, 0, 0]);
    expect(encoded(distance, 300)).toEqual([0, 1, 0]);
    expect(encoded(distance, 1e9)).toEqual([0, 0, 1]);
    for (const missing of [null, Number.NaN, 'far']) expect(encoded(distance, missing)).toEqual([0, 0, 0]);
  });
  it('counts the edges that are not above the number', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer()), fc.integer(), (numbers, value) => {
        const edges = numbers.sort((a, b) => a - b);
        expect(bucketOf(edges, value)).toBe(edges.filter((edge) => edge <= value).length);
      }),
    );
  });
});

describe('cyclic', () => {
  it('puts a number on its circle', () => {
    const [sine, cosine] = encoded(cyclic('hour', 24), 6);
    expect(sine).toBeCloseTo(1, 6);
    expect(cosine).toBeCloseTo(0, 6);
  });
  it('gives the same for whole turns more, by table or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: -5, max: 5 }), (hour, turns) => {
        const here = encoded(cyclic('hour', 24), hour);
        const there = encoded(cyclic('hour', 24), hour + 24 * turns);
        here.forEach((x, i) => void expect(there[i]).toBeCloseTo(x, 5));
      }),
    );
  });
  it('leaves out what is missing', () => {
    for (const missing of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY, '6']) {
      expect(encoded(cyclic('hour', 24), missing)).toEqual([0, 0]);
    }
  });
});

describe('options', () => {
  it('says which cannot be', () => {
    expect(() => numeric('x', { scale: 0 })).toThrow('numeric: scale is 0');
    expect(() => cyclic('hour', 0)).toThrow('cyclic: period is 0');
    for (const edges of [
      [700, 300],
      [3, 3],
      [1, Number.NaN],
    ])
      expect(() => bucket('x', edges)).toThrow(`bucket: the edges are ${edges.join(', ')}`);
  });
});
