import type { DenseFeature } from './feature.js';

/**
 * The place of a number between ascending edges: 0 below the first, `edges.length` from the last one on. An edge belongs to
 * the bucket above it. For column functions whose bucket is to be hashed.
 *
 * @example bucketOf([500, 1_000], 730); // 1
 */
export function bucketOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value >= (edges[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * One place for each interval between the edges and the two beyond them: 1 where the row's number lies. Lets a linear
 * model follow a curve. A missing value or one that is not a number sets none.
 *
 * @example bucket('distance', [300, 700, 1_500]); // 4 places
 */
export function bucket<const K extends string>(column: K, edges: readonly number[]): DenseFeature<K> {
  return Object.freeze({
    part: 'dense',
    kind: 'bucket',
    column,
    settings: Object.freeze({ edges: JSON.stringify(edges) }),
    width: edges.length + 1,
    encode(value, into, at) {
      if (typeof value === 'number' && !Number.isNaN(value)) into[at + bucketOf(edges, value)] = 1;
    },
  } satisfies DenseFeature<K>);
}
