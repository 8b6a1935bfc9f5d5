import type { HashedFeature } from './feature.js';

/**
 * A category of any number of values: its hash picks one coordinate of the view's hashed part, which is set to 1. Given
 * several columns it is their cross: one coordinate for each combination. All hashed features of a view share one
 * space of `2 ** hashBits` coordinates; the feature's name goes into the hash, so equal values of two features differ.
 * A missing value is a category of its own.
 *
 * @example
 * hashed('origin'); // where from
 * hashed('origin', 'hour'); // where from at what hour
 */
export function hashed<const K extends string>(...columns: readonly [K, ...K[]]): HashedFeature<K> {
  return Object.freeze({ part: 'hashed', kind: 'hashed', columns: Object.freeze([...columns]) });
}
