import type { CellSpec, Duration } from '../core/index.js';
import { AgedMap } from './aged-map.js';
import { mapCell } from './map-cell.js';
import type { MapCell } from './map-contract.js';
import type { Packing } from './packed-rows.js';

export interface PackedMapCellOptions<V> {
  /** Version of the values' layout, 1 by default. */
  readonly version?: number;
  /** How long an entry lives after the event time of its last write. */
  readonly ttl: Duration;
  /** The entry written longest ago makes room for one more than this. */
  readonly entriesMax?: number;
  readonly packing: Packing<V>;
}

/**
 * Declares a `mapCell` with a `ttl` whose values are mostly numbers: they lie packed in large arrays, which costs a
 * collector nothing, and are made again at each `get`.
 *
 * @example
 * const cells = { waiting: packedMapCell<number, Waiting>({ ttl: hours(24), packing: waitingPacking }) };
 *
 * Errors: those of `mapCell`; `state` for a checkpoint of a map that is not packed.
 * Memory: 8 bytes a number for as many entries as there ever were at once, besides keys and what is no number.
 */
export function packedMapCell<K extends string | number, V>(options: PackedMapCellOptions<V>): CellSpec<MapCell<K, V>> {
  const { packing, ...bounds } = options;
  const { version = 1, ttl, entriesMax = Number.POSITIVE_INFINITY } = bounds;
  return { ...mapCell<K, V>(bounds), open: () => new AgedMap<K, V>(version, undefined, ttl, entriesMax, packing) };
}
