import type { HashedFeature } from './feature.js';

/**
 * A category with any number of values. Its hash selects one coordinate of the view's hashed part, which is set to 1. With several columns
 * it is their cross: one coordinate per combination. All hashed features of a view share `2 ** hashBits` coordinates. The name of the
 * feature is part of the hash, so equal values of two features differ. A missing value is a category of its own.
 *
 * @example
 * hashed('origin');
 * hashed('origin', 'hour'); // a cross
 */
export function hashed<const K extends string>(...columns: readonly [K, ...K[]]): HashedFeature<K> {
  return Object.freeze({ part: 'hashed', kind: 'hashed', columns: Object.freeze([...columns]) });
}
