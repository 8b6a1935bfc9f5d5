import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';
import { addSum, addTerm, sumAt } from './sum.js';

/**
 * The mean of a number; `null` if no record has one. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { delay: mean((flight: { delay: number | null }) => flight.delay) };
 *
 * Slices are merged by count and sum, so the mean is as precise as `sum`. Retracts with the precision of `sum`,
 * and not what `sum` cannot retract. Memory: three numbers.
 */
export function mean<In>(of: NumberOf<In>): Aggregate<In, number | null> {
  return ofNumbers<In, number | null>('mean', 'mean', {
    size: 3,
    init(into, at) {
      into[at] = 0;
      into[at + 1] = 0;
      into[at + 2] = 0;
    },
    add(into, at, value) {
      const term = of(value);
      if (isMissing(term)) return;
      into[at] = (into[at] as number) + 1;
      addTerm(into, at + 1, term);
    },
    merge(into, at, from, fromAt) {
      into[at] = (into[at] as number) + (from[fromAt] as number);
      addSum(into, at + 1, from, fromAt + 1);
    },
    result: (from, at) => (from[at] === 0 ? null : sumAt(from, at + 1) / (from[at] as number)),
    retract(into, at, value) {
      const term = of(value);
      if (isMissing(term)) return;
      into[at] = (into[at] as number) - 1;
      addTerm(into, at + 1, -term);
    },
  });
}
