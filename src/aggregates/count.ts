import { type Aggregate, isMissing, ofNumbers } from './aggregate.js';

/**
 * How many records there are, or with `of` how many have that value (null, undefined and NaN do not count).
 *
 * @example
 * const aggregates = { flights: count(), known: count((flight: { delay: number | null }) => flight.delay) };
 *
 * Takes values back exactly. Memory: one number.
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
