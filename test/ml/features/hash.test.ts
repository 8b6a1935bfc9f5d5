import { expect, it } from 'vitest';
import { combine, finish, hashString, hashValue } from '../../../src/ml/features/hash.js';

// These decide where stored weights lie: a change of any of them breaks every checkpoint.

it('gives FNV-1a’s published test vectors', () => {
  expect(hashString('') >>> 0).toBe(0x811c9dc5);
  expect(hashString('a') >>> 0).toBe(0xe40c292c);
  expect(hashString('foobar') >>> 0).toBe(0xbf9cf968);
});

it('gives MurmurHash3’s finalizer', () => {
  expect(finish(0)).toBe(0);
  expect(finish(1) >>> 0).toBe(0x514e28b7);
});

it('never moves', () => {
  expect([1, -7, 2 ** 40, 0.5, null, undefined, 'ATL'].map((value) => hashValue(value))).toMatchInlineSnapshot(`
    [
      1009755358,
      -1076865834,
      -2078433628,
      423033351,
      -1640531527,
      -1640531527,
      1436297548,
    ]
  `);
  expect(combine(hashString('route'), hashString('ATL'))).toMatchInlineSnapshot(`2012064285`);
});

it('tells numbers from strings and nothing from both, but not the signs of zero', () => {
  expect(hashValue(1)).not.toBe(hashValue('1'));
  expect(hashValue(null)).toBe(hashValue(undefined));
  expect(hashValue(null)).not.toBe(hashValue(''));
  expect(hashValue(-0)).toBe(hashValue(0));
  expect(hashValue(Number.NaN)).toBe(hashValue(-Number.NaN));
});

it('counts the order of crossed values', () => {
  const [a, b] = [hashString('ATL'), hashString('DFW')];
  expect(combine(combine(1, a), b)).not.toBe(combine(combine(1, b), a));
});

it('spreads neighbours evenly over a small space', () => {
  const counts = new Uint32Array(256);
  for (let hour = 0; hour < 24; hour++) {
    for (let airport = 0; airport < 256; airport++) {
      const index = finish(combine(combine(hashString('x'), hashString(`A${airport}`)), hashValue(hour))) & 255;
      counts[index] = (counts[index] as number) + 1;
    }
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 24) ** 2 / 24, 0);
  expect(chiSquare).toBeLessThan(340); // 255 degrees of freedom: 340 is the 99.98th percentile
});
