import { addToMoments, clearMoments, MOMENTS_SIZE, mergeMoments, removeFromMoments } from '../util/moments.js';
import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';

/** Which variance it is: of a sample or of a population. */
export interface VarianceOptions {
  /** What is taken from the count before dividing: 1 for a sample (the default), 0 for the whole population. */
  readonly ddof?: 0 | 1;
}

/**
 * The variance of a number; `null` where too few records have it (two for a sample, one for a population).
 *
 * @example
 * const aggregates = { spread: variance((flight: { delay: number | null }) => flight.delay, { ddof: 0 }) };
 *
 * Welford's update: no cancellation, unlike sums of squares. Takes values back by the update in reverse, which loses digits
 * where most of what was added is taken back. Memory: three numbers.
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
