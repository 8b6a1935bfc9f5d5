/**
 * Lets everything else that waits have its turn of the event loop.
 *
 * @example
 * for (const part of parts) { work(part); await nextTurn(); }
 */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
