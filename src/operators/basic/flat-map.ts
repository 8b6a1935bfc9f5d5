import { type Operator, type Origin, transform } from '../../core/index.js';
import { functionProblems } from '../functions.js';

/**
 * Emits none, one or several values for each value, in order.
 *
 * @example
 * flights.via('ends', flatMap((flight) => [{ airport: flight.origin }, { airport: flight.destination }]));
 *
 * Every result has the origin of its input. `f` must depend on its arguments only, because a replay calls it again. Its iterable must be
 * bounded: all of its values are in memory at once. An error that `f` throws stops the task.
 */
export function flatMap<T, U>(f: (value: T, origin: Origin) => Iterable<U>): Operator<T, U> {
  return transform<T, U>({
    kind: 'flatMap',
    problems: functionProblems({ 'its argument': f }),
    open: () => (value, emit, origin) => {
      for (const each of f(value, origin)) emit(each as never);
    },
  });
}
