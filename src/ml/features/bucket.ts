import { MillraceError } from '../../core/errors.js';
import type { DenseFeature } from './feature.js';

/**
 * The index of a number's bucket between ascending edges: 0 below the first edge, `edges.length` from the last one on. An edge belongs to
 * the bucket above it. Use it in a column whose bucket is hashed.
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
 * One-hot buckets of a number: one dense feature per interval between the edges, and two beyond them. It is 1 for the bucket of the number, so
 * that a linear model can follow a curve. For a missing value or NaN all are 0.
 *
 * @example bucket('distance', [300, 700, 1_500]); // 4 features
 * @throws MillraceError `config` where an option is out of range
 */
export function bucket<const K extends string>(column: K, edges: readonly number[]): DenseFeature<K> {
  if (edges.some((edge, i) => !(edge > (edges[i - 1] ?? Number.NEGATIVE_INFINITY))))
    throw new MillraceError('config', `bucket: the edges are ${edges.join(', ')}`, {
      where: `bucket.${column}`,
      hint: 'give them in ascending order, each once',
    });
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
