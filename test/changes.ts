import fc from 'fast-check';
import type { Change } from '../src/core/index.js';

/** What the tests keep of a key: a number that changes, and a group in which the key lies for a while. */
export interface Kept {
  readonly n: number;
  readonly group: number;
}

/** Streams of changes of a few keys: new, revised, moved to another group, deleted, and new again. */
export const changesOf = (length: { readonly minLength?: number; readonly maxLength: number }) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.option(fc.integer({ min: 0, max: 2 }), { freq: 3 })), length)
    .map((steps) => {
      const held = new Map<string, Kept>();
      return steps.map(([number, group], n): Change<Kept> => {
        const key = `k${number}`;
        const before = held.get(key) ?? null;
        const after = group === null ? null : { n, group };
        if (after === null) held.delete(key);
        else held.set(key, after);
        return { key, before, after };
      });
    });

/** What is held to be true after all of them, by key. */
export function foldOf<T>(changes: readonly Change<T>[]): Record<string, T> {
  const held = new Map<string, T>();
  for (const { key, after } of changes) {
    if (after === null) held.delete(key);
    else held.set(key, after);
  }
  return Object.fromEntries([...held].sort(([a], [b]) => (a < b ? -1 : 1)));
}
