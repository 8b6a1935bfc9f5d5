import type { Cell } from '../../core/index.js';

/**
 * A keyed collection. Values may be changed in place, if they are then passed to `set` again; the number 1 and the
 * string '1' are different keys.
 */
export interface MapCell<K extends string | number, V> extends Cell {
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** Writes an entry. `timeMs`, the event time of this write, is required where the map has a `ttl`. */
  set(key: K, value: V, timeMs?: number): void;
  delete(key: K): boolean;
  /** Entries held, expired ones that still wait for their slice to be dropped included. */
  readonly size: number;
  /** The keys: by age where the map has a `ttl` or `entriesMax`, otherwise in an order that is a function of the keys alone. */
  keys(): IterableIterator<K>;
  /**
   * Tells the map what time it is: entries written `ttl` or longer before are gone from here on. Without a `ttl` it does
   * nothing.
   *
   * Rounds end where the wall clock says. A step whose output depends on what has expired must therefore call this
   * with a time that comes from its records, never from `onWatermark`.
   */
  expire(nowMs: number): void;
  /** Entries dropped from memory because they had expired, since the task opened the cell. */
  readonly expired: number;
  /** Entries pushed out by `entriesMax` that had not expired, since the task opened the cell. */
  readonly evicted: number;
}
