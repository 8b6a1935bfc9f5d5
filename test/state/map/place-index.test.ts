import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { PlaceIndex } from '../../../src/state/map/place-index.js';

/** Hashes that meet: few, equal tags in different parts, tags of 0, neighbours, both ends. */
const hash = fc
  .oneof(
    fc.nat(12),
    fc.nat(3).map((part) => part * 2 ** 30),
    fc.nat(20).map((n) => 0xffff - n),
    fc.constantFrom(0xffff_ffff, 0, 1, 0x1_0000),
    fc.nat(0xffff_ffff),
  )
  .map((unsigned) => unsigned | 0);

/** An index whose places are the numbers of keys, each with a hash. */
function indexed(keysMax: number, hashes: readonly number[]) {
  let sought = 0;
  const index = new PlaceIndex(keysMax, { isSought: (place) => place === sought });
  const of = (key: number) => hashes[key] as number;
  return {
    index,
    find(key: number) {
      sought = key;
      return index.find(of(key));
    },
    add: (key: number) => index.add(of(key), key),
    remove: (key: number) => index.remove(of(key), key),
  };
}

it('finds the keys that a set holds, while they come and go', () => {
  const keys = fc.array(hash, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(keys, fc.array(fc.nat(59), { maxLength: 300 }), fc.constantFrom(1, 20_000), (hashes, ops, keysMax) => {
      const { index, find, add, remove } = indexed(keysMax, hashes);
      const held = new Set<number>();
      for (const op of ops) {
        const key = op % hashes.length;
        expect(find(key)).toBe(held.has(key) ? key : -1);
        if (held.delete(key)) remove(key);
        else {
          held.add(key);
          add(key);
        }
        expect(index.size).toBe(held.size);
      }
      for (const key of hashes.keys()) expect(find(key)).toBe(held.has(key) ? key : -1);
    }),
  );
});

it('adds a key that was sought before another one came or went', () => {
  fc.assert(
    fc.property(fc.array(hash, { minLength: 3, maxLength: 30 }), fc.boolean(), (hashes, comes) => {
      const { find, add, remove } = indexed(1, hashes);
      const [late, other, ...early] = hashes.keys();
      for (const key of comes ? early : [other as number, ...early]) add(key);
      expect(find(late as number)).toBe(-1);
      (comes ? add : remove)(other as number);
      add(late as number);
      for (const key of hashes.keys()) expect(find(key)).toBe(comes || key !== other ? key : -1);
    }),
    { numRuns: 1_000 },
  );
});

it('grows part by part, and finds all keys before and after', () => {
  const hashes = Array.from({ length: 30_000 }, (_, key) => Math.imul(key + 1, 0x9e3779b1));
  const { index, find, add, remove } = indexed(1_000, hashes);
  for (const key of hashes.keys()) {
    expect(find(key)).toBe(-1);
    add(key);
  }
  for (const key of hashes.keys()) if (key % 3 > 0) remove(key);
  expect(index.size).toBe(10_000);
  for (const key of hashes.keys()) expect(find(key)).toBe(key % 3 > 0 ? -1 : key);
});

it('hands the slots of a part without keys on to the next part', () => {
  let slots = 0;
  class Counted extends Uint16Array {
    constructor(length: number) {
      super(length);
      slots += length;
    }
  }
  vi.stubGlobal('Uint16Array', Counted);
  onTestFinished(() => void vi.unstubAllGlobals());
  const hashes = Array.from({ length: 2 ** 18 }, (_, key) => ((key >>> 10) << 24) | ((key << 6) & 0xffff));
  const { index, find, add, remove } = indexed(2 ** 20, hashes);
  for (const key of hashes.keys()) {
    add(key);
    if (key >= 1_000) remove(key - 1_000);
  }
  expect(index.size).toBe(1_000);
  for (const key of hashes.keys()) if (key % 500 === 0) expect(find(key)).toBe(key < hashes.length - 1_000 ? -1 : key);
  expect(slots).toBeLessThan(2 ** 15); // 256 parts for 1,024 keys each would be 2 ** 20
});
