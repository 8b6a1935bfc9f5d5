import { type Adds, type Operator, type Origin, transform } from '../../core/index.js';

/**
 * Looks at each value and passes it on as it is.
 *
 * @example
 * flights.via('look', peek((flight) => log.debug(flight)));
 *
 * For looking only: `f` runs again when records are replayed, so whatever it does outside may happen more than once.
 * What it throws stops the task.
 */
export function peek<T>(f: (value: T, origin: Origin) => void): Operator<T, Adds<unknown>> {
  return transform<T, Adds<unknown>>({
    kind: 'peek',
    open: () => (value, emit, origin) => {
      f(value, origin);
      emit(value as never);
    },
  });
}
