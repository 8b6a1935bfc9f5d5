/**
 * HalfSipHash-1-3 of a range of bytes: who does not know the secret, two words, cannot choose bytes that collide. The 32 bits have a
 * sign, because a number above 2^31 would be an object on the heap.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, in their variant of 32-bit words.
 */
export function keyedHash(secret: Uint32Array, bytes: Uint8Array, start: number, end: number): number {
  let v0 = (secret[0] as number) | 0;
  let v1 = (secret[1] as number) | 0;
  let v2 = v0 ^ 0x6c796765;
  let v3 = v1 ^ 0x74656462;
  const words = (end - start) >>> 2;
  const rest = start + 4 * words;
  // A round for each word, one for the rest with the length, and three to finish.
  for (let round = 0, at = start; round < words + 4; round++, at += 4) {
    let word = 0;
    if (round < words) word = wordAt(bytes, at);
    else if (round === words) {
      word = (end - start) << 24;
      if (end - rest > 2) word |= (bytes[rest + 2] as number) << 16;
      if (end - rest > 1) word |= (bytes[rest + 1] as number) << 8;
      if (end - rest > 0) word |= bytes[rest] as number;
    } else if (round === words + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

/** 32 bits, little-endian. */
export const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);

/** Writes 32 bits, little-endian; a loop takes longer. */
export function setWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}
