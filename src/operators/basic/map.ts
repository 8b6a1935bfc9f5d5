import { type Operator, type Origin, transform } from '../../core/index.js';

/**
 * Turns each value into another one.
 *
 * @example
 * flights.via('summary', map((flight): Summary => ({ id: flight.flightId, late: flight.delayMinutes >= 15 })));
 *
 * `f` gets the value and where it came from; it must not change the value and must not depend on anything else, or a
 * replay would differ. What it throws stops the task with the record's place.
 */
export function map<T, U>(f: (value: T, origin: Origin) => U): Operator<T, U> {
  return transform<T, U>({ kind: 'map', open: () => (value, emit, origin) => emit(f(value, origin) as never) });
}
