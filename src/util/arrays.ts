/**
 * Appends all of `from`, in any number: `push(...from)` puts each on the stack, which ends at some 100,000.
 *
 * @example
 * pushAll(rows, chunk);
 */
export function pushAll<T>(into: T[], from: Iterable<T>): void {
  for (const each of from) into.push(each);
}
