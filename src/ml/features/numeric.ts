import { requirePositive } from '../check-options.js';
import type { DenseFeature } from './feature.js';

/** How a number is scaled before a model sees it. */
export interface NumericOptions {
  /** The value that becomes 0, such as a typical one; 0 by default. */
  readonly center?: number;
  /** The distance from the center that becomes 1, such as a typical one; 1 by default. */
  readonly scale?: number;
}

/**
 * A number, centred and scaled by fixed amounts: `(value - center) / scale`. A missing value becomes `NaN`, from which learners refuse to
 * learn: use `impute` before `featurize`.
 *
 * @example numeric('distance', { scale: 1_000 });
 * @throws MillraceError `config` where an option is out of range
 */
export function numeric<const K extends string>(
  column: K,
  { center = 0, scale = 1 }: NumericOptions = {},
): DenseFeature<K> {
  requirePositive('numeric', { scale });
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
