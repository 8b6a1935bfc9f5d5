import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';
import { addSum, addTerm, sumAt } from './sum.js';

/**
 * The mean of a number; `null` where no record has it (null, undefined and NaN are passed over).
 *
 * @example
 * const aggregates = { delay: mean((flight: { delay: number | null }) => flight.delay) };
 *
 * Windows that share slices merge count and sum, never means. Takes values back to the precision of `sum`. Memory:
 * three numbers.
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
