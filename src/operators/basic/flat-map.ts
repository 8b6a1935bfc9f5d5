import { type Operator, type Origin, transform } from '../../core/index.js';

/**
 * Turns each value into any number of others, in order.
 *
 * @example
 * flights.via('ends', flatMap((flight) => [{ airport: flight.origin }, { airport: flight.destination }]));
 *
 * All of them carry the origin of the value they came from. `f` must depend on its arguments alone and return a
 * bounded iterable: everything that it yields is in memory at once.
 */
export function flatMap<T, U>(f: (value: T, origin: Origin) => Iterable<U>): Operator<T, U> {
  return transform<T, U>({
    kind: 'flatMap',
    open: () => (value, emit, origin) => {
      for (const each of f(value, origin)) emit(each as never);
    },
  });
}
