import { type Aggregate, isMissing, type NumberOf, type Numbers, ofNumbers } from './aggregate.js';

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
 * Welford's recurrence, merged as in Chan, Golub and LeVeque ("Updating formulae and a pairwise algorithm for computing
 * sample variances", 1979): no cancellation, unlike sums of squares. Takes values back by the recurrence in reverse, which
 * does lose digits when most of what was added is taken back. Memory: three numbers.
 */
export function variance<In>(of: NumberOf<In>, { ddof = 1 }: VarianceOptions = {}): Aggregate<In, number | null> {
  return ofNumbers<In, number | null>('variance', ddof === 1 ? 'variance' : 'variance of the population', {
    size: 3,
    init: clear,
    add(into, at, value) {
      const x = of(value);
      if (isMissing(x)) return;
      const n = (into[at] as number) + 1;
      const before = into[at + 1] as number;
      const after = before + (x - before) / n;
      into[at] = n;
      into[at + 1] = after;
      into[at + 2] = (into[at + 2] as number) + (x - before) * (x - after);
    },
    merge(into, at, from, fromAt) {
      const more = from[fromAt] as number;
      if (more === 0) return;
      const n = (into[at] as number) + more;
      const apart = (from[fromAt + 1] as number) - (into[at + 1] as number);
      into[at + 2] =
        (into[at + 2] as number) + (from[fromAt + 2] as number) + (apart * apart * ((into[at] as number) * more)) / n;
      into[at + 1] = (into[at + 1] as number) + (apart * more) / n;
      into[at] = n;
    },
    result(from, at) {
      const n = from[at] as number;
      return n <= ddof ? null : Math.max(0, (from[at + 2] as number) / (n - ddof));
    },
    retract(into, at, value) {
      const x = of(value);
      if (isMissing(x)) return;
      const n = (into[at] as number) - 1;
      if (n <= 0) {
        clear(into, at);
        return;
      }
      const before = into[at + 1] as number;
      const after = before - (x - before) / n;
      into[at] = n;
      into[at + 1] = after;
      into[at + 2] = (into[at + 2] as number) - (x - before) * (x - after);
    },
  });
}

/** Count, mean, and the sum of squared distances from it. */
function clear(into: Numbers, at: number): void {
  into[at] = 0;
  into[at + 1] = 0;
  into[at + 2] = 0;
}
