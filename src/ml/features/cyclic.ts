import { requirePositive } from '../check-options.js';
import type { DenseFeature } from './feature.js';

/** The sines and cosines of periods up to this are computed once: hours, weekdays, minutes of the day. */
const TABLE_MAX = 1_440;

/**
 * A periodic number as a point on a circle (sine and cosine), so that 23 h is near 0 h. The number may be outside of `[0, period)`. For a
 * missing or infinite value both are 0.
 *
 * @example cyclic('hour', 24);
 * @throws MillraceError `config` where an option is out of range
 */
export function cyclic<const K extends string>(column: K, period: number): DenseFeature<K> {
  requirePositive('cyclic', { period });
  const turn = (2 * Math.PI) / period;
  const steps = Number.isInteger(period) && period <= TABLE_MAX ? period : 0;
  const sines = Float32Array.from({ length: steps }, (_, i) => Math.sin(turn * i));
  const cosines = Float32Array.from({ length: steps }, (_, i) => Math.cos(turn * i));
  return Object.freeze({
    part: 'dense',
    kind: 'cyclic',
    column,
    settings: Object.freeze({ period }),
    width: 2,
    encode(value, into, at) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return;
      const inTable = value >= 0 && value < steps && Number.isInteger(value);
      into[at] = inTable ? (sines[value] as number) : Math.sin(turn * value);
      into[at + 1] = inTable ? (cosines[value] as number) : Math.cos(turn * value);
    },
  } satisfies DenseFeature<K>);
}
