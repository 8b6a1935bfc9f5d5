import { addToMoments, clearMoments, MOMENTS_SIZE, mergeMoments, removeFromMoments } from '../util/moments.js';
import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';

/** Options of `variance`. */
export interface VarianceOptions {
  /** Delta degrees of freedom: 1 for the variance of a sample (the default), 0 for that of the population. */
  readonly ddof?: 0 | 1;
}

/**
 * The variance of a number; `null` if too few records have one (fewer than two for a sample, or one for a population).
 *
 * @example
 * const aggregates = { spread: variance((flight: { delay: number | null }) => flight.delay, { ddof: 0 }) };
 *
 * It uses Welford's update, so it has no cancellation, unlike sums of squares. It retracts by the reverse update, which loses digits if most
 * values are retracted, and cannot retract an infinity: the result is NaN until all values are retracted. Memory: three numbers.
 */
export function variance<In>(of: NumberOf<In>, { ddof = 1 }: VarianceOptions = {}): Aggregate<In, number | null> {
  return ofNumbers<In, number | null>('variance', ddof === 1 ? 'variance' : 'variance of the population', {
    size: MOMENTS_SIZE,
    init: clearMoments,
    add(into, at, value) {
      const x = of(value);
      if (!isMissing(x)) addToMoments(into, at, x);
    },
    merge: mergeMoments,
    result(from, at) {
      const n = from[at] as number;
      return n <= ddof ? null : Math.max(0, (from[at + 2] as number) / (n - ddof));
    },
    retract(into, at, value) {
      const x = of(value);
      if (!isMissing(x)) removeFromMoments(into, at, x);
    },
  });
}
