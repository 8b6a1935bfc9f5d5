import { type Adds, type Operator, stateful } from '../../../src/core/index.js';
import { valueCell } from '../../../src/state/index.js';

/**
 * Lets every n-th record of a task pass and drops the others.
 *
 *   in   --a--b--c--d--e--f--|
 *   out  --------c--------f--|     n = 3
 *
 * Guarantee: the count is in the checkpoint, so a replay lets the same records pass.
 * Memory: one number.
 *
 * @example
 * payments.via('one-in-ten', everyNth(10));
 */
export function everyNth<T>(n: number): Operator<T, Adds<unknown>> {
  const cells = { seen: valueCell({ initial: 0 }) };
  return stateful<T, Adds<unknown>, typeof cells>({
    kind: 'every-nth',
    settings: { n },
    problems: n >= 1 ? [] : [{ message: `n is ${n}`, hint: 'give a whole number from 1' }],
    cells,
    open: ({ seen }) => ({
      onRecord(_input, value, emit) {
        const count = (seen.get() + 1) % n;
        seen.set(count);
        if (count === 0) emit(value as never);
      },
    }),
  });
}
