import type { FeatureVector } from '../core/learner.js';
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
export function vectorDigest({ hash, dense, indices }: VectorNumbers): string {
  const seed = hashString(hash);
  let a = seed;
  let b = ~seed;
  const take = (value: number) => {
    a = combine(a, value);
    b = combine(b, value ^ a);
  };
  for (let i = 0; i < dense.length; i++) {
    bits[0] = dense[i] as number;
    take(word[0] as number);
  }
  take(dense.length);
  for (let i = 0; i < indices.length; i++) take(indices[i] as number);
  return hex(finish(a)) + hex(finish(b));
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
