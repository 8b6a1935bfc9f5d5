import type { FeatureVector } from '../../core/learner.js';
import { combine, finish, hashString } from './hash.js';

/** The numbers of a vector: what its digest is taken of. */
export type VectorNumbers = Pick<FeatureVector, 'hash' | 'dense' | 'indices'>;

const bits = new Float32Array(1);
const word = new Int32Array(bits.buffer);

/**
 * A digest of a vector's exact bits and of the view that made it, 16 hexadecimal digits: two vectors with one digest are
 * the same vector, for all that an audit need care (64 bits, two rounds of MurmurHash3 side by side).
 *
 * A prediction that carries it can be held against the stored features later, without storing them twice.
 *
 * @example
 * map((f) => ({ flightId: f.flightId, late: f.late.probability, featuresDigest: vectorDigest(f.features) }));
 */
export function vectorDigest(vector: VectorNumbers): string {
  let a = hashString(vector.hash);
  let b = ~a;
  for (let i = 0; i <= vector.dense.length + vector.indices.length; i++) {
    const value = wordAt(vector, i);
    a = combine(a, value);
    b = combine(b, value ^ a);
  }
  return hex(finish(a)) + hex(finish(b));
}

/** The dense part's bits, how many there are of them, then the indices. */
function wordAt({ dense, indices }: VectorNumbers, i: number): number {
  if (i > dense.length) return indices[i - dense.length - 1] as number;
  if (i === dense.length) return i;
  bits[0] = dense[i] as number;
  return word[0] as number;
}

// From a table: `toString(16)` takes ten times as long for numbers of more than 31 bits, and most of a digest's time.
const byteTexts = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const byteText = (value: number): string => byteTexts[value & 255] as string;

/** 32 bits as 8 hexadecimal digits. */
const hex = (value: number): string =>
  byteText(value >>> 24) + byteText(value >>> 16) + byteText(value >>> 8) + byteText(value);
