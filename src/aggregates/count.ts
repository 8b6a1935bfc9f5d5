import { type Aggregate, isMissing, ofNumbers } from './aggregate.js';

/**
 * The number of records, or with `of` the number of records that have a value (not null, undefined or NaN).
 *
 * @example
 * const aggregates = { flights: count(), known: count((flight: { delay: number | null }) => flight.delay) };
 *
 * Retracts exactly. Memory: one number.
 */
export function count<In>(of?: (value: In) => unknown): Aggregate<In, number> {
  const one = of === undefined ? () => 1 : (value: In) => (isMissing(of(value)) ? 0 : 1);
  return ofNumbers<In, number>('count', of === undefined ? 'count' : 'count of a field', {
    size: 1,
    init(into, at) {
      into[at] = 0;
    },
    add(into, at, value) {
      into[at] = (into[at] as number) + one(value);
    },
    merge(into, at, from, fromAt) {
      into[at] = (into[at] as number) + (from[fromAt] as number);
    },
    result: (from, at) => from[at] as number,
    retract(into, at, value) {
      into[at] = (into[at] as number) - one(value);
    },
  });
}
