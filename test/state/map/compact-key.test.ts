import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compactKeyBytesMax,
  hashCompactKey,
  readCompactKey,
  writeCompactKey,
} from '../../../src/state/map/compact-key.js';
import { keyEnd } from '../../../src/state/map/packed-key.js';

const bytesOf = (key: string | number): Buffer => {
  const bytes = Buffer.alloc(2 + compactKeyBytesMax(key));
  const end = writeCompactKey(bytes, 2, key);
  expect(keyEnd(bytes, 2)).toBe(end);
  expect(readCompactKey(bytes, 2)).toBe(key);
  return bytes.subarray(2, end);
};

const uuid = fc.uuid();
/** A UUID with one character that no canonical one has there. */
const almost = fc
  .tuple(uuid, fc.nat(35), fc.constantFrom('g', 'A', '-', '0', ' ', '\ud83d', '\u0130', '\u00e9', '`', '/', ':'))
  .map(([text, at, character]) => text.slice(0, at) + character + text.slice(at + 1));

describe('a compact key', () => {
  it('is read as it was written, and is equal for equal keys alone', () => {
    const key = fc.oneof(uuid, almost, fc.string({ unit: 'binary' }), fc.integer(), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(key, key, (a, b) => {
        if (Object.is(a, -0) || Object.is(b, -0)) return;
        expect(bytesOf(a).equals(bytesOf(b))).toBe(a === b);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a UUID takes 17 bytes in lower case, 38 in upper case', () => {
    const text = '0f8fad5b-d9cb-469f-a165-70867728950e';
    expect(bytesOf(text)).toHaveLength(17);
    expect(bytesOf(text.toUpperCase())).toHaveLength(38);
    expect(bytesOf(7)).toHaveLength(5);
  });

  it('of 1,024 neighbours has hashes with one first half, and evenly spread second ones', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: -(2 ** 21), max: 2 ** 21 - 1 }), (a, b, group) => {
        const hashes = Array.from({ length: 1_024 }, (_, i) =>
          hashCompactKey(Uint32Array.of(a, b), bytesOf(group * 1_024 + i), 0, 5),
        );
        expect(new Set(hashes.map((hash) => hash >>> 16)).size).toBe(1);
        const second = hashes.map((hash) => hash & 0xffff).sort((x, y) => x - y);
        expect(second.every((half, i) => i === 0 || half - (second[i - 1] as number) === 64)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
