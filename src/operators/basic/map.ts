import { type Operator, type Origin, transform } from '../../core/index.js';
import { functionProblems } from '../functions.js';

/**
 * Replaces each value by the result of a function.
 *
 * @example
 * flights.via('summary', map((flight): Summary => ({ id: flight.flightId, late: flight.delayMinutes >= 15 })));
 *
 * `f` gets the value and its origin. It must not change the value, and must not depend on anything else, because a replay calls it
 * again. An error that it throws stops the task and names the record.
 */
export function map<T, U>(f: (value: T, origin: Origin) => U): Operator<T, U> {
  return transform<T, U>({
    kind: 'map',
    problems: functionProblems({ 'its argument': f }),
    open: () => (value, emit, origin) => emit(f(value, origin) as never),
  });
}
