import { type Adds, type Operator, type Origin, transform } from '../../core/index.js';
import { functionProblems } from '../functions.js';

/**
 * Keeps the values for which a predicate holds. A predicate that is a type guard narrows the stream.
 *
 * @example
 * flights.via('only-atlanta', filter((flight) => flight.origin === 'ATL'));
 *
 * Other values are dropped; only the counters `in` and `out` of the step show it. For records that are wrong, use `validate`: it sends them
 * to the dead letters. The predicate must depend on its arguments only.
 */
export function filter<T, U extends T>(predicate: (value: T, origin: Origin) => value is U): Operator<T, U>;
export function filter<T>(predicate: (value: T, origin: Origin) => boolean): Operator<T, Adds<unknown>>;
export function filter<T>(predicate: (value: T, origin: Origin) => boolean): Operator<T, Adds<unknown>> {
  return transform<T, Adds<unknown>>({
    kind: 'filter',
    problems: functionProblems({ 'its argument': predicate }),
    open: () => (value, emit, origin) => {
      if (predicate(value, origin)) emit(value as never);
    },
  });
}
