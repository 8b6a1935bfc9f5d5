/** A promise's outcome as a value: for work started ahead, whose failure must wait for its turn in the order. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

export const settle = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

export function unwrap<T>(settled: Settled<T>): T {
  if ('error' in settled) throw settled.error;
  return settled.value;
}
