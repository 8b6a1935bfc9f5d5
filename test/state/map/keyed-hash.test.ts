import { describe, expect, it } from 'vitest';
import { keyedHash } from '../../../src/state/map/keyed-hash.js';

const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);

describe('the keyed hash', () => {
  it('is HalfSipHash-1-3: bytes that count up, of each length, as Linux tests its own', () => {
    const secret = Uint32Array.of(0x03020100, 0x07060504);
    const found = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((length) =>
      (keyedHash(secret, bytes, 0, length) >>> 0).toString(16),
    );
    expect(found.join(' ')).toBe(
      '5814c896 e7e864ca bc4b0e30 1539939 7e059ea6 88e3d89b a0080b65 9d38d9d6 577999b1 c839caed',
    );
  });

  it('depends on both words of the secret, and on the range alone', () => {
    const of = (a: number, b: number) => keyedHash(Uint32Array.of(a, b), bytes, 3, 20);
    expect(new Set([of(1, 2), of(0, 2), of(1, 0), of(2, 1)]).size).toBe(4);
    expect(keyedHash(Uint32Array.of(1, 2), bytes.slice(3, 20), 0, 17)).toBe(of(1, 2));
  });
});
