import { type OperatorFunction, Subject } from 'rxjs';
import { MillraceError, type Operator, transform } from '../core/index.js';

/**
 * Uses plain, stateless RxJS operators as a step, record by record. Values that they emit synchronously inherit the origin of the
 * current record. Emitting later is an error, because the causing record is unknown then.
 *
 * Guarantee: the same as `map` and `filter`, as long as the operators keep no state: no checkpoint contains the state of `scan` or
 * `distinct` (the operator contract suite finds such an operator).
 *
 * @throws MillraceError `step` if an operator emits asynchronously, ends the stream or fails.
 * @example departed.via('hubs', rx(filter((f) => f.origin === 'ATL'), map((f) => ({ id: f.flightId }))))
 */
export function rx<T, A>(a: OperatorFunction<T, A>): Operator<T, A>;
export function rx<T, A, B>(a: OperatorFunction<T, A>, b: OperatorFunction<A, B>): Operator<T, B>;
export function rx<T, A, B, C>(
  a: OperatorFunction<T, A>,
  b: OperatorFunction<A, B>,
  c: OperatorFunction<B, C>,
): Operator<T, C>;
export function rx<T, A, B, C, D>(
  a: OperatorFunction<T, A>,
  b: OperatorFunction<A, B>,
  c: OperatorFunction<B, C>,
  d: OperatorFunction<C, D>,
): Operator<T, D>;
export function rx(...operators: OperatorFunction<never, unknown>[]): Operator<unknown, unknown> {
  return transform<unknown, unknown>({
    kind: 'rx',
    settings: { operators: operators.length },
    open({ step }) {
      const input = new Subject<unknown>();
      let emit: ((value: never) => void) | undefined;
      let failure: unknown;
      const error = (message: string, cause?: unknown) =>
        new MillraceError('step', message, {
          where: step,
          cause,
          hint: 'rx() takes synchronous, stateless operators only',
        });
      const output = operators.reduce(
        (stream, operator) => stream.pipe(operator as OperatorFunction<unknown, unknown>),
        input.asObservable(),
      );
      output.subscribe({
        next: (value) => {
          if (emit) emit(value as never);
          else failure ??= error('an RxJS operator emitted asynchronously');
        },
        error: (cause: unknown) => {
          failure ??= error('an RxJS operator failed', cause);
        },
        complete: () => {
          failure ??= error('an RxJS operator ended the stream');
        },
      });
      return (value, emitNow) => {
        emit = emitNow;
        try {
          input.next(value);
        } finally {
          emit = undefined;
        }
        if (failure !== undefined) throw failure;
      };
    },
  });
}
