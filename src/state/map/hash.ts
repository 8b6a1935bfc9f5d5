const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/**
 * A 32-bit hash of a map key, the same in every process and release, because it decides where a key's state is stored. Strings by
 * FNV-1a over their UTF-16 code units, numbers by their bits; MurmurHash3's finalizer improves the low bits of both.
 */
export function hashKey(key: string | number): number {
  let hash: number;
  if (typeof key === 'string') {
    hash = 0x811c9dc5;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  } else if ((key | 0) === key) {
    hash = key;
  } else {
    float[0] = Number.isNaN(key) ? Number.NaN : key;
    hash = (words[0] as number) ^ Math.imul(words[1] as number, 0x9e3779b1);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
