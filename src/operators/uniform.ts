import { combine, finish, hashString } from '../features/hash.js';
import { hashKey } from '../state/index.js';

/** Identity of a record, of a group, of a stratum. */
export type Key = string | number;

/** What is no identity: nothing, NaN, the empty text. */
export const isEmptyKey = (key: Key | null | undefined): key is null | undefined | '' =>
  key === null || key === undefined || key === '' || Number.isNaN(key);

/** How an empty key reads in a dead letter. */
export const emptyKeyText = (key: Key | null | undefined): string => `the key is ${key === '' ? 'empty' : key}`;

/**
 * Draws by hash: a number in [0, 1) of 32 bits that key and seed alone decide, spread evenly over keys. The same in
 * every process and release, so a replay draws alike, and so do two steps with the same seed.
 */
export function uniformBy(seed: string): (key: Key) => number {
  const salt = hashString(seed);
  return (key) => (finish(combine(salt, hashKey(key))) >>> 0) / 2 ** 32;
}
