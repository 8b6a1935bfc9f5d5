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
  return hex(finish(a), finish(b));
}

/** The dense part's bits, how many there are of them, then the indices. */
function wordAt({ dense, indices }: VectorNumbers, i: number): number {
  if (i > dense.length) return indices[i - dense.length - 1] as number;
  if (i === dense.length) return i;
  bits[0] = dense[i] as number;
  return word[0] as number;
}

const digits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** The code of the digit of four bits, which begin at this one. */
const digit = (value: number, bit: number): number => digits[(value >>> bit) & 15] as number;

/**
 * 64 bits as 16 hexadecimal digits. One call makes the text at once: concatenated pieces take more than twice as long, and `toString(16)`
 * ten times as long as those for numbers of more than 31 bits.
 */
const hex = (a: number, b: number): string =>
  String.fromCharCode(
    digit(a, 28),
    digit(a, 24),
    digit(a, 20),
    digit(a, 16),
    digit(a, 12),
    digit(a, 8),
    digit(a, 4),
    digit(a, 0),
    digit(b, 28),
    digit(b, 24),
    digit(b, 20),
    digit(b, 16),
    digit(b, 12),
    digit(b, 8),
    digit(b, 4),
    digit(b, 0),
  );
