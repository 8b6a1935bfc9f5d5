import type { DenseFeature } from './feature.js';

/** How a number is scaled before a model sees it. */
export interface NumericOptions {
  /** What becomes 0: a typical value; 0 by default. */
  readonly center?: number;
  /** What becomes 1 above the center: a typical distance from it; 1 by default. */
  readonly scale?: number;
}

/**
 * A number as it is, moved and scaled by fixed amounts: `(value - center) / scale`. A missing value becomes `NaN`,
 * which learners refuse to learn from: impute before featurizing.
 *
 * @example numeric('distance', { scale: 1_000 });
 */
export function numeric<const K extends string>(
  column: K,
  { center = 0, scale = 1 }: NumericOptions = {},
): DenseFeature<K> {
  return Object.freeze({
    part: 'dense',
    kind: 'numeric',
    column,
    settings: Object.freeze({ center, scale }),
    width: 1,
    encode(value, into, at) {
      into[at] = typeof value === 'number' ? (value - center) / scale : Number.NaN;
    },
  } satisfies DenseFeature<K>);
}
