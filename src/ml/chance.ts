import { combine, finish } from './features/hash.js';

/**
 * A number from 0 to 1 (exclusive) that follows from a seed, the member of an ensemble and the number of the update: the only
 * chance that a learner may use. There is no generator to store, so the same updates draw the same numbers after any restore.
 * Several draws of one update take several members.
 *
 * Guarantee: equal on every machine; 32 bits. Source: the mixing of MurmurHash3.
 *
 * @example if (chance(seed, tree, update) < 0.1) resetTree(tree);
 */
export function chance(seed: number, member: number, update: number): number {
  const low = update >>> 0;
  const high = Math.floor(update / 2 ** 32);
  return (finish(combine(combine(combine(seed | 0, member), low), high)) >>> 0) / 2 ** 32;
}

/** Turns a chance into a number of a Poisson distribution with this mean, 100 at most. */
export function poisson(mean: number): (share: number) => number {
  const below: number[] = [];
  for (let k = 0, p = Math.exp(-mean), sum = 0; sum < 1 - 2 ** -32 && k < 1_000; k++, p *= mean / k) {
    sum += p;
    below.push(sum);
  }
  return (share) => {
    let k = 0;
    while (k < below.length - 1 && share >= (below[k] as number)) k++;
    return k;
  };
}
