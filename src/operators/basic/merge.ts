import { type Adds, type MultiInputOperator, stateful } from '../../core/index.js';

/**
 * Merges streams of one type into one, in the order of their event times.
 *
 *   web    --1-----4----|
 *   shop   ----2-3------|
 *   out    --1-2-3-4----|
 *
 * @example
 * web.via('orders', { shop, phone }, merge('shop', 'phone'));
 *
 * Each argument is the name of a further input. Values pass unchanged, with their key and origin. Records with equal event times come
 * in the order in which the topology declares their sources, in every replay.
 *
 * A task merges the partitions with its own number. If a later step has a key, give all topics the same key and number of partitions, or
 * `repartition` the merged stream. Memory: none.
 */
export function merge<T, const Name extends string>(
  ...inputs: readonly [Name, ...Name[]]
): MultiInputOperator<T, { readonly [N in Name]: NoInfer<T> }, Adds<unknown>> {
  const twice = inputs.filter((name, i) => inputs.indexOf(name) !== i);
  return stateful<T, { readonly [N in Name]: NoInfer<T> }, Adds<unknown>, Record<never, never>>({
    kind: 'merge',
    problems: twice.map((name) => ({ message: `two inputs are named '${name}'`, hint: 'give each its own name' })),
    inputs,
    cells: {},
    open: () => ({
      onRecord: (_input, value, emit) => emit(value as never),
    }),
  });
}
