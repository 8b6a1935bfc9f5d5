import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactKeyBytesMax, readCompactKey, writeCompactKey } from '../../../src/state/map/compact-key.js';
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
});
