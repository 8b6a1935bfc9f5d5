/** What a compacted topic says of a key: the newest value, or with `null` that there is none any more (a tombstone). */
export interface Upsert<out T> {
  readonly key: string;
  readonly value: T | null;
}

/**
 * A correction as a value: what was held to be true of a key, and what is held now. Tables and results that may still
 * be revised are streams of changes; an aggregate takes `before` back and adds `after`.
 *
 * - new: `before` is `null`; revised: both are there; retracted or deleted: `after` is `null`.
 */
export interface Change<out T> {
  readonly key: string;
  readonly before: T | null;
  readonly after: T | null;
}

/** For sinks, which see values as `unknown`. */
export const keyOfChange = (change: unknown): string => (change as Change<unknown>).key;
export const afterOf = (change: unknown): unknown => (change as Change<unknown>).after;
