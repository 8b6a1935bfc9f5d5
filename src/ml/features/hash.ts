import type { ColumnValue } from './feature.js';

// Hashes decide where a model's weights lie, so they are part of the format of its state: they must be the same in every
// process, on every machine, for ever. Test vectors pin them.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const MISSING = 0x9e3779b9;
const NUMBER = 0x85ebca6b;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** FNV-1a over the UTF-16 code units of a string, 32 bits (as signed integer). */
export function hashString(text: string): number {
  let hash = FNV_OFFSET | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the output with a chance of one half. */
export function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Takes one more hash into a hash; the order counts. One round of MurmurHash3. */
export function combine(hash: number, next: number): number {
  let k = Math.imul(next, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The hash of a column's value: numbers and strings never count as equal; -0 is 0 and every NaN the same. */
export function hashValue(value: ColumnValue): number {
  if (typeof value === 'string') return hashString(value);
  if (typeof value === 'number') {
    if ((value | 0) === value) return Math.imul(value ^ NUMBER, FNV_PRIME);
    double[0] = Number.isNaN(value) ? Number.NaN : value;
    // The low half first: Node runs on little-endian machines only.
    return combine(words[0] as number, words[1] as number);
  }
  return MISSING | 0;
}
