import { combine, finish, hashString } from '../../ml/features/hash.js';
import { hashKey } from '../../state/index.js';
import type { Key } from '../keys.js';

/**
 * Draws by hash: a number in [0, 1) of 32 bits that key and seed alone decide, spread evenly over keys. The same in
 * every process and release, so a replay draws alike, and so do two steps with the same seed.
 */
export function uniformBy(seed: string): (key: Key) => number {
  const salt = hashString(seed);
  return (key) => (finish(combine(salt, hashKey(key))) >>> 0) / 2 ** 32;
}
