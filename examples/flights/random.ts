/**
 * A number in [0, 1) that depends on nothing but its arguments: the corruption of a flight is the same wherever chunks end
 * and whatever was asked before. (MurmurHash3's rounds and finalizer over the three words.)
 */
export function uniform(seed: number, salt: number, index: number): number {
  return hash32(seed, salt, index) / 2 ** 32;
}

/** A whole number in [min, max], as `uniform`. */
export function integer(seed: number, salt: number, index: number, min: number, max: number): number {
  return min + Math.floor(uniform(seed, salt, index) * (max - min + 1));
}

function hash32(seed: number, salt: number, index: number): number {
  let h = round(round(seed | 0, salt), index);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function round(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = h ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
