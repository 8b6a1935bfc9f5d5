import { type CellSpec, type Duration, MillraceError } from '../../core/index.js';
import { tags } from '../codec.js';
import type { Migrate } from '../versions.js';
import { AgedMap } from './aged-map.js';
import { HashedMap } from './hashed-map.js';
import type { MapCell } from './map-contract.js';
import type { Packing } from './packed-rows.js';

/** The limits of a map, and how older layouts are read. */
export interface MapCellOptions<V> {
  /** Version of the values' layout, 1 by default. */
  readonly version?: number;
  readonly migrate?: Migrate<V>;
  /** How long an entry lives after the event time of its last write. */
  readonly ttl?: Duration;
  /** The most entries; beyond it, the entry with the oldest write is removed. */
  readonly entriesMax?: number;
}

/**
 * Declares a keyed cell. Its limits decide what a change writes:
 *
 * - With `ttl` or `entriesMax`, entries are in segments of up to 256 in the order of their writes (within a slice of a 24th of the
 *   ttl). A stream of new keys writes only the newest segment, and old segments are deleted whole.
 * - Without them, entries are in shards of some hundred by hash of their key, as bytes; recently used ones are kept decoded. A
 *   change writes the changed entries, and rewrites a shard when its changes outweigh it: two to three bytes in the long run per
 *   changed byte. A restore decodes nothing. The number of keys is unlimited.
 *
 * @example
 * const cells = { seen: mapCell<string, true>({ ttl: hours(24), entriesMax: 5_000_000 }) };
 *
 * Values that are all `true` take no bytes in the changelog. "Oldest write" is exact between segments; within the newest segment a
 * rewritten entry keeps its place. Errors: `config` for impossible limits, `state` for a checkpoint that cannot be read. Memory:
 * `entriesMax` entries, or those of `ttl` and a 24th more, about 100 bytes each besides keys and values. Without limits: one to two
 * and a half times the encoded keys and values, 20 bytes per entry, and up to 262,144 decoded entries.
 */
export function mapCell<K extends string | number, V>(options: MapCellOptions<V> = {}): CellSpec<MapCell<K, V>> {
  const { version = 1, migrate, ttl, entriesMax } = options;
  if ((ttl !== undefined && !(ttl > 0)) || (entriesMax !== undefined && !(entriesMax >= 1)))
    throw new MillraceError('config', `a map cell cannot have ttl ${ttl} and entriesMax ${entriesMax}`, {
      hint: 'both must be positive',
    });
  const aged = ttl !== undefined || entriesMax !== undefined;
  return {
    kind: 'map',
    version,
    tags: tagsOf(ttl, aged),
    open: () =>
      aged
        ? new AgedMap<K, V>(version, migrate, ttl, entriesMax ?? Number.POSITIVE_INFINITY)
        : new HashedMap<K, V>(version, migrate),
  };
}

function tagsOf(ttl: Duration | undefined, aged: boolean): readonly number[] {
  if (ttl !== undefined) return [tags.agedMap, tags.agedMapHorizon];
  return aged ? [tags.orderedMap] : [tags.shardBase, tags.shardDelta, tags.hashedMap];
}

export interface PackedMapCellOptions<V> {
  /** Version of the values' layout, 1 by default. */
  readonly version?: number;
  /** How long an entry lives after the event time of its last write. */
  readonly ttl: Duration;
  /** The most entries; beyond it, the entry with the oldest write is removed. */
  readonly entriesMax?: number;
  readonly packing: Packing<V>;
}

/**
 * Declares a `mapCell` with a `ttl` whose values are mostly numbers. They are packed in large arrays, which cost the garbage
 * collector nothing, and each `get` creates the value.
 *
 * @example
 * const cells = { waiting: packedMapCell<number, Waiting>({ ttl: hours(24), packing: waitingPacking }) };
 *
 * Errors: those of `mapCell`; `state` for a checkpoint of a map that is not packed. Memory: 8 bytes per number for the largest
 * number of entries so far, besides keys and what is not a number.
 */
export function packedMapCell<K extends string | number, V>(options: PackedMapCellOptions<V>): CellSpec<MapCell<K, V>> {
  const { packing, ...bounds } = options;
  const { version = 1, ttl, entriesMax = Number.POSITIVE_INFINITY } = bounds;
  return { ...mapCell<K, V>(bounds), open: () => new AgedMap<K, V>(version, undefined, ttl, entriesMax, packing) };
}
