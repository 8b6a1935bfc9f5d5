import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IntIndex } from '../../../src/state/map/key-index.js';

/** Keys that meet: few, in steps of powers of two, at both ends, and neighbours. */
const key = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -30, max: 30 }).map((n) => n * 1024),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31)),
  fc.integer(),
);
const op = fc.record({ key, place: fc.option(fc.nat(2 ** 31 - 1), { freq: 2 }) });

it('answers as a map does, while it grows and shrinks', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 200 }), (ops) => {
      const index = new IntIndex();
      const map = new Map<number, number>();
      for (const { key, place } of ops) {
        expect(index.get(key)).toBe(map.get(key) ?? -1);
        if (place === null) {
          index.delete(key);
          map.delete(key);
        } else {
          index.set(key, place);
          map.set(key, place);
        }
        expect(index.size).toBe(map.size);
      }
      for (const { key } of ops) expect(index.get(key)).toBe(map.get(key) ?? -1);
    }),
  );
});

it.each([
  ['that count up', (i: number) => i],
  ['that are multiples of a power of two', (i: number) => (i << 15) | 0],
  ['that stand for hours', (i: number) => i * 3_600],
])('keeps many keys %s', (_, keyOf) => {
  const index = new IntIndex();
  const count = 50_000; // below 2 ** 17: no two keys are the same
  for (let i = 0; i < count; i++) index.set(keyOf(i), i);
  expect(index.size).toBe(count);
  for (let i = 0; i < count; i += 7) expect(index.get(keyOf(i))).toBe(i);
  for (let i = 0; i < count; i += 2) index.delete(keyOf(i));
  expect(index.size).toBe(count / 2);
  for (let i = 0; i < count; i++) expect(index.get(keyOf(i))).toBe(i % 2 === 0 ? -1 : i);
});
