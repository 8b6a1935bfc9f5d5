import { assert, type BucketChange } from '../../core/index.js';
import { decode, encode, tags, unreadable } from '../codec.js';
import { type Migrate, migrationFor } from '../versions.js';
import { KeyIndex } from './key-index.js';
import type { MapCell } from './map-contract.js';
import { PackedRows, type Packing } from './packed-rows.js';
import { PLACE_BITS, SEGMENT_MAX, Segment } from './segment.js';
import { HORIZON, TimeSlices } from './time-slices.js';

const PLACE = SEGMENT_MAX - 1;
/** Equal to no key. */
const NO_KEY = Symbol('no key');
/** The index of a missing key. */
const NOWHERE = -1;

/**
 * A segment's bucket. Without a ttl there are no offsets; values that are all `true` are left out. `numbers` are those of packed
 * values, and the values are then the rests.
 */
type Bytes<K> = readonly [
  startMs: number,
  spanMs: number,
  used: number,
  keys: readonly K[],
  offsetsMs: readonly number[],
  values?: readonly unknown[],
  numbers?: Float64Array,
];

/**
 * A map that is limited by age or number: entries in segments in the order of their writes. Everything that decides its behaviour is
 * stored, so a restored map behaves like the original. Segments hold the values, or the rows in which they are packed.
 */
export class AgedMap<K extends string | number, V> implements MapCell<K, V> {
  expired = 0;
  evicted = 0;
  /** By key: the slot of its segment, then the bits of its index there. */
  private readonly index = new KeyIndex<K>();
  private readonly slices: TimeSlices<Segment<K>>;
  /** The last lookup: most writes follow a lookup of the same key. */
  private lastKey: K | typeof NO_KEY = NO_KEY;
  private lastAt = NOWHERE;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array; readonly version: number }[] | undefined;
  private readonly ttlMs: number;
  private readonly tag;
  private readonly packed: PackedRows<V> | undefined;

  constructor(
    private readonly version: number,
    private readonly migrate: Migrate<V> | undefined,
    ttlMs: number | undefined,
    private readonly entriesMax: number,
    packing?: Packing<V>,
  ) {
    this.ttlMs = ttlMs ?? Number.POSITIVE_INFINITY;
    this.slices = new TimeSlices(ttlMs, (slot) => new Segment<K>(slot, ttlMs !== undefined));
    this.tag = ttlMs === undefined ? tags.orderedMap : tags.agedMap;
    this.packed = packing && new PackedRows(packing);
  }

  get size(): number {
    if (this.frozen) this.thaw();
    return this.index.size;
  }

  get(key: K): V | undefined {
    if (this.frozen) this.thaw();
    const at = this.find(key);
    if (at === NOWHERE) return undefined;
    const segment = this.segmentAt(at);
    const place = at & PLACE;
    return this.isExpired(segment, place) ? undefined : this.valueAt(segment, place);
  }

  has(key: K): boolean {
    if (this.frozen) this.thaw();
    const at = this.find(key);
    return at !== NOWHERE && !this.isExpired(this.segmentAt(at), at & PLACE);
  }

  set(key: K, value: V, timeMs?: number): void {
    if (this.frozen) this.thaw();
    const startMs = this.slices.startOf(timeMs);
    const offsetMs = (timeMs ?? 0) - startMs;
    const at = this.find(key);
    if (at === NOWHERE) {
      if (this.index.size >= this.entriesMax) this.evictOldest();
      this.add(this.slices.open(startMs), key, value, offsetMs);
      return;
    }
    const segment = this.segmentAt(at);
    const place = at & PLACE;
    if (segment === this.slices.newestOf(startMs)) {
      this.packed?.drop(segment.values[place] as number);
      segment.values[place] = this.packed ? this.packed.put(value) : value;
      if (this.slices.sliceMs > 0) segment.offsetsMs[place] = offsetMs;
      this.slices.touch(segment);
    } else {
      const target = this.slices.open(startMs);
      this.remove(segment, place);
      this.add(target, key, value, offsetMs);
    }
  }

  delete(key: K): boolean {
    if (this.frozen) this.thaw();
    const at = this.find(key);
    if (at === NOWHERE) return false;
    const segment = this.segmentAt(at);
    const place = at & PLACE;
    const live = !this.isExpired(segment, place);
    this.unlist(key);
    this.remove(segment, place);
    return live;
  }

  *keys(): IterableIterator<K> {
    if (this.frozen) this.thaw();
    for (const segment of [...this.slices.segments])
      for (let place = 0; place < segment.length; place++) {
        const key = segment.keys[place];
        if (key !== undefined && !this.isExpired(segment, place)) yield key;
      }
  }

  expire(nowMs: number): void {
    if (this.frozen) this.thaw();
    if (this.slices.sliceMs === 0) return;
    this.slices.advance(nowMs);
    for (let oldest = this.slices.over; oldest !== undefined; oldest = this.slices.over) {
      for (let place = 0; place < oldest.length; place++) {
        const key = oldest.keys[place];
        if (key === undefined) continue;
        this.unlist(key);
        this.packed?.drop(oldest.values[place] as number);
        this.expired++;
      }
      this.slices.drop(oldest);
    }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // an error at start is better than at the first access
    this.frozen ??= [];
    this.frozen.push({ bucket, bytes, version });
  }

  takeChanges(): BucketChange[] {
    return this.slices.takeChanges((segment) => encode(this.tag, this.bytesOf(segment)));
  }

  /** Copies the entries with the times of their writes, the oldest first, without expired ones. */
  spread(cellOf: (key: string | number) => AgedMap<K, V>): void {
    if (this.frozen) this.thaw();
    for (const segment of this.slices.segments)
      for (let place = 0; place < segment.length; place++) {
        const key = segment.keys[place];
        if (key === undefined || this.isExpired(segment, place)) continue;
        const to = cellOf(key);
        to.set(key, this.valueAt(segment, place), segment.startMs + (segment.offsetsMs[place] ?? 0));
        if (this.slices.horizonMs > to.slices.horizonMs) to.expire(this.slices.horizonMs);
      }
  }

  /** The location of an entry, expired or not, or `NOWHERE`. */
  private find(key: K): number {
    if (key === this.lastKey) return this.lastAt;
    this.lastKey = key;
    this.lastAt = this.index.get(key);
    return this.lastAt;
  }

  private valueAt(segment: Segment<K>, place: number): V {
    const kept = segment.values[place];
    return this.packed ? this.packed.get(kept as number) : (kept as V);
  }

  private unlist(key: K): void {
    this.index.delete(key);
    this.lastKey = NO_KEY;
  }

  private segmentAt(at: number): Segment<K> {
    return this.slices.at(at >>> PLACE_BITS);
  }

  private isExpired(segment: Segment<K>, place: number): boolean {
    // Most segments are too young to have expired entries; then the offset need not be read.
    const { horizonMs } = this.slices;
    if (segment.startMs + this.ttlMs > horizonMs) return false;
    return segment.spanMs > 0 && segment.startMs + (segment.offsetsMs[place] as number) + this.ttlMs <= horizonMs;
  }

  private add(segment: Segment<K>, key: K, value: V, offsetMs: number): void {
    const at =
      (segment.slot << PLACE_BITS) + segment.append(key, this.packed ? this.packed.put(value) : value, offsetMs);
    this.index.set(key, at);
    this.lastKey = key;
    this.lastAt = at;
    this.slices.touch(segment);
  }

  private evictOldest(): void {
    const oldest = this.slices.segments[0];
    assert(oldest, 'a full map has a segment');
    const key = oldest.oldestKey();
    const place = this.index.get(key) & PLACE;
    if (this.isExpired(oldest, place)) this.expired++;
    else this.evicted++;
    this.unlist(key);
    this.remove(oldest, place);
  }

  private remove(segment: Segment<K>, place: number): void {
    this.packed?.drop(segment.values[place] as number);
    segment.remove(place);
    if (segment.size === 0) this.slices.drop(segment);
    else this.slices.touch(segment);
  }

  private bytesOf(segment: Segment<K>): Bytes<K> {
    const { startMs, spanMs, used } = segment;
    const places = segment.places();
    const keys = places.map((place) => segment.keys[place] as K);
    const offsetsMs = spanMs > 0 ? places.map((place) => segment.offsetsMs[place] as number) : [];
    const values = places.map((place) => segment.values[place]);
    const head = [startMs, spanMs, used, keys, offsetsMs] as const;
    if (this.packed) {
      const { rests, numbers } = this.packed.copyOf(values as number[]);
      return [...head, rests, numbers];
    }
    return values.every((value) => value === true) ? head : [...head, values];
  }

  private thaw(): void {
    const frozen = this.frozen ?? [];
    this.frozen = undefined;
    for (const { bucket, bytes, version } of frozen) {
      if (bucket === HORIZON) this.slices.restoreHorizon(bytes);
      else this.thawSegment(bucket, bytes, version);
    }
    this.slices.sort();
  }

  private thawSegment(id: number, bytes: Uint8Array, version: number): void {
    const migrate = migrationFor(version, this.version, this.migrate);
    const [startMs, spanMs, used, keys, offsetsMs, values, numbers] = decode(this.tag, bytes) as Bytes<K>;
    const fits = numbers && this.packed ? this.packed.fits(keys.length, numbers) : !numbers && !this.packed;
    if (!fits) throw unreadable('values of another width, or packed in one case and not in the other');
    const segment = this.slices.restore(id, startMs, spanMs);
    for (let i = 0; i < keys.length; i++) {
      const kept = values ? values[i] : true;
      const value = this.packed ? this.packed.putCopy(kept, numbers as Float64Array, i) : kept;
      const place = segment.append(keys[i] as K, migrate ? migrate(value, version) : value, offsetsMs[i] ?? 0);
      this.index.set(keys[i] as K, (segment.slot << PLACE_BITS) + place);
    }
    segment.used = used;
    if (migrate) this.slices.touch(segment);
  }
}
