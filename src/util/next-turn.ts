/**
 * Lets other waiting work run in the event loop.
 *
 * @example
 * for (const part of parts) { work(part); await nextTurn(); }
 */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
