import { type Aggregate, isMissing, type NumberOf, ofNumbers } from './aggregate.js';
import { addSum, addTerm, sumAt } from './running-sum.js';

/**
 * The sum of a number; 0 where no record has it (null, undefined and NaN are passed over).
 *
 * @example
 * const aggregates = { revenue: sum((order: { total: number }) => order.total) };
 *
 * Compensated (Neumaier, 1974): the error is some units of the last digit, however many terms there are. Takes values
 * back to the same precision. Memory: two numbers.
 */
export function sum<In>(of: NumberOf<In>): Aggregate<In, number> {
  return ofNumbers<In, number>('sum', 'sum', {
    size: 2,
    init(into, at) {
      into[at] = 0;
      into[at + 1] = 0;
    },
    add(into, at, value) {
      const term = of(value);
      if (!isMissing(term)) addTerm(into, at, term);
    },
    merge: addSum,
    result: sumAt,
    retract(into, at, value) {
      const term = of(value);
      if (!isMissing(term)) addTerm(into, at, -term);
    },
  });
}
