import type { Cell } from '../../core/index.js';

/**
 * A keyed collection. Values may be changed in place if they are then passed to `set` again. The number 1 and the string '1' are
 * different keys.
 */
export interface MapCell<K extends string | number, V> extends Cell {
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** Writes an entry. `timeMs`, the event time of this write, is required if the map has a `ttl`. */
  set(key: K, value: V, timeMs?: number): void;
  delete(key: K): boolean;
  /** The number of entries, including expired ones whose slice has not been dropped yet. */
  readonly size: number;
  /** The keys: by age if the map has a `ttl` or `entriesMax`, otherwise in an order that depends on the keys alone. */
  keys(): IterableIterator<K>;
  /**
   * Sets the current time: entries written `ttl` or longer before are removed. Without a `ttl` it does nothing.
   *
   * The wall clock decides where rounds end. A step whose output depends on expiry must therefore call this with a time from its
   * records, never from `onWatermark`.
   */
  expire(nowMs: number): void;
  /** Expired entries that were removed, since the task opened the cell. */
  readonly expired: number;
  /** Entries that `entriesMax` removed before they expired, since the task opened the cell. */
  readonly evicted: number;
}
