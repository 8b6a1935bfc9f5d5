import { type Adds, type Operator, type Origin, transform } from '../../core/index.js';
import { functionProblems } from '../functions.js';

/**
 * Calls a function with each value and passes the value on unchanged.
 *
 * @example
 * flights.via('look', peek((flight) => log.debug(flight)));
 *
 * Use it for logging. A replay calls `f` again, so its side effects may happen more than once. An error that it throws stops the task.
 */
export function peek<T>(f: (value: T, origin: Origin) => void): Operator<T, Adds<unknown>> {
  return transform<T, Adds<unknown>>({
    kind: 'peek',
    problems: functionProblems({ 'its argument': f }),
    open: () => (value, emit, origin) => {
      f(value, origin);
      emit(value as never);
    },
  });
}
