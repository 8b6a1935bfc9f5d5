import { type Aggregate, isMissing, type NumberOf, type Numbers, ofNumbers } from './aggregate.js';

/**
 * The sum of a number; 0 if no record has one. Null, undefined and NaN are ignored.
 *
 * @example
 * const aggregates = { revenue: sum((order: { total: number }) => order.total) };
 *
 * The error is some units of the last digit, for any number of terms (compensated summation; Neumaier, 1974). Retracts with the same
 * precision, but not an infinity, nor one of terms whose sum was too large for a number: the result is then an infinity or NaN until
 * all values are retracted. Memory: two numbers.
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

// A sum and what rounding took from it (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
// Summen", 1974): the error does not grow with the number of terms, and terms taken back leave next to nothing behind.

/** Adds a term to the sum at `at` and its compensation at `at + 1`. */
export function addTerm(into: Numbers, at: number, term: number): void {
  const sum = into[at] as number;
  const next = sum + term;
  into[at + 1] = (into[at + 1] as number) + (Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum);
  into[at] = next;
}

export function addSum(into: Numbers, at: number, from: Numbers, fromAt: number): void {
  addTerm(into, at, from[fromAt] as number);
  into[at + 1] = (into[at + 1] as number) + (from[fromAt + 1] as number);
}

/** The compensation of an infinity has no meaning. The result is never -0, because a checkpoint does not keep its sign. */
export function sumAt(from: Numbers, at: number): number {
  const sum = from[at] as number;
  return Number.isFinite(sum) ? sum + (from[at + 1] as number) + 0 : sum;
}
