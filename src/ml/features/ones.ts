import type { FeatureArray } from '../../core/learner.js';

/** Longer arrays are not shared: their loops cost little beside what else such a row costs. */
const SHARED_MAX = 1_024;
const shared: Float32Array[] = [];

/**
 * The values of so many hashed coordinates that each count once, as views make them. Arrays of one length are one array, never
 * written to: they take no room beside a row, and `areOnes` knows them without a loop.
 */
export function onesOf(count: number): Float32Array {
  const known = shared[count];
  if (known) return known;
  const made = new Float32Array(count).fill(1);
  if (count <= SHARED_MAX) shared[count] = made;
  return made;
}

/** Whether they are the array that vectors of this length share. */
export const areShared = (values: FeatureArray, count: number): boolean => values === shared[count];

/** Whether the first numbers are all 1. */
export function areOnes(values: FeatureArray, count: number): boolean {
  if (areShared(values, count)) return true;
  for (let i = 0; i < count; i++) if (values[i] !== 1) return false;
  return true;
}
