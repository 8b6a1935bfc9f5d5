import { assert, type BucketChange } from '../../core/index.js';
import { decode, encode, tags, unreadable } from '../codec.js';
import { type Migrate, migrationFor } from '../versions.js';
import { KeyIndex } from './key-index.js';
import type { MapCell } from './map-contract.js';
import { PackedRows, type Packing } from './packed-rows.js';
import { PLACE_BITS, SEGMENT_MAX, Segment } from './segment.js';

/** The number of slices of a ttl: the memory of an expired entry is freed after at most one slice. */
const SLICES = 24;
/** The bucket with the time last passed to `expire`; segments count from 1. */
const HORIZON = 0;
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
 * A map that is limited by age or number: entries in segments in the order of their writes. Everything that decides its behaviour
 * (order, which segment gets the next entry) is stored, so a restored map behaves like the original. Segments hold the values, or
 * the rows in which they are packed.
 */
export class AgedMap<K extends string | number, V> implements MapCell<K, V> {
  expired = 0;
  evicted = 0;
  /** By key: the slot of its segment, then the bits of its index there. */
  private readonly index = new KeyIndex<K>();
  private readonly table: Segment<K>[] = [];
  /** Their arrays are reused: new arrays would soon be old garbage, the most expensive kind. */
  private readonly freeSegments: Segment<K>[] = [];
  /** By start, then by id: the oldest first. None is empty. */
  private readonly segments: Segment<K>[] = [];
  /** The segment that got the last entry: the newest of its slice. */
  private newest: Segment<K> | undefined;
  private changed: Segment<K>[] = [];
  private dropped: number[] = [];
  /** The last lookup: most writes follow a lookup of the same key. */
  private lastKey: K | typeof NO_KEY = NO_KEY;
  private lastAt = NOWHERE;
  private nextId = 1;
  private horizonMs = Number.NEGATIVE_INFINITY;
  private horizonChanged = false;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array; readonly version: number }[] | undefined;
  private readonly sliceMs: number;
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
    this.sliceMs = ttlMs === undefined ? 0 : Math.max(1, Math.ceil(ttlMs / SLICES));
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
    let startMs = 0;
    let offsetMs = 0;
    if (this.sliceMs > 0) {
      assert(timeMs !== undefined && Number.isFinite(timeMs), 'a map with a ttl needs the event time of each write');
      startMs = Math.floor(timeMs / this.sliceMs) * this.sliceMs;
      offsetMs = timeMs - startMs;
    }
    const at = this.find(key);
    if (at === NOWHERE) {
      if (this.index.size >= this.entriesMax) this.evictOldest();
      this.add(this.openSegment(startMs), key, value, offsetMs);
      return;
    }
    const segment = this.segmentAt(at);
    const place = at & PLACE;
    if (segment === this.newestOf(startMs)) {
      this.packed?.drop(segment.values[place] as number);
      segment.values[place] = this.packed ? this.packed.put(value) : value;
      if (this.sliceMs > 0) segment.offsetsMs[place] = offsetMs;
      this.markChanged(segment);
    } else {
      const target = this.openSegment(startMs);
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
    for (const segment of [...this.segments])
      for (let place = 0; place < segment.length; place++) {
        const key = segment.keys[place];
        if (key !== undefined && !this.isExpired(segment, place)) yield key;
      }
  }

  expire(nowMs: number): void {
    if (this.frozen) this.thaw();
    if (nowMs === this.horizonMs || this.sliceMs === 0) return;
    this.horizonChanged = true;
    this.horizonMs = nowMs;
    for (;;) {
      const oldest = this.segments[0];
      if (oldest === undefined || oldest.startMs + oldest.spanMs + this.ttlMs > nowMs) return;
      for (let place = 0; place < oldest.length; place++) {
        const key = oldest.keys[place];
        if (key === undefined) continue;
        this.unlist(key);
        this.packed?.drop(oldest.values[place] as number);
        this.expired++;
      }
      this.drop(oldest);
    }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // an error at start is better than at the first access
    this.frozen ??= [];
    this.frozen.push({ bucket, bytes, version });
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = this.dropped.map((bucket) => ({ bucket, bytes: null }));
    this.dropped = [];
    for (const segment of this.changed) {
      segment.changed = false;
      if (segment.size === 0) continue; // dropped meanwhile
      segment.stored = true;
      changes.push({ bucket: segment.id, bytes: encode(this.tag, this.bytesOf(segment)) });
    }
    this.changed = [];
    if (this.horizonChanged) changes.push({ bucket: HORIZON, bytes: encode(tags.agedMapHorizon, this.horizonMs) });
    this.horizonChanged = false;
    return changes;
  }

  /** Copies the entries with the times of their writes, the oldest first, without expired ones. */
  spread(cellOf: (key: string | number) => AgedMap<K, V>): void {
    if (this.frozen) this.thaw();
    for (const segment of this.segments)
      for (let place = 0; place < segment.length; place++) {
        const key = segment.keys[place];
        if (key === undefined || this.isExpired(segment, place)) continue;
        const to = cellOf(key);
        to.set(key, this.valueAt(segment, place), segment.startMs + (segment.offsetsMs[place] ?? 0));
        if (this.horizonMs > to.horizonMs) to.expire(this.horizonMs);
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
    return this.table[at >>> PLACE_BITS] as Segment<K>;
  }

  private isExpired(segment: Segment<K>, place: number): boolean {
    // Most segments are too young to have expired entries; then the offset need not be read.
    if (segment.startMs + this.ttlMs > this.horizonMs) return false;
    return this.sliceMs > 0 && segment.startMs + (segment.offsetsMs[place] as number) + this.ttlMs <= this.horizonMs;
  }

  private add(segment: Segment<K>, key: K, value: V, offsetMs: number): void {
    const at =
      (segment.slot << PLACE_BITS) + segment.append(key, this.packed ? this.packed.put(value) : value, offsetMs);
    this.index.set(key, at);
    this.lastKey = key;
    this.lastAt = at;
    this.markChanged(segment);
  }

  private evictOldest(): void {
    const oldest = this.segments[0];
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
    if (segment.size === 0) this.drop(segment);
    else this.markChanged(segment);
  }

  private drop(segment: Segment<K>): void {
    if (this.segments[0] === segment) this.segments.shift();
    else this.segments.splice(this.segments.indexOf(segment), 1);
    if (segment.stored) this.dropped.push(segment.id);
    if (this.newest === segment) this.newest = undefined;
    segment.clear();
    this.freeSegments.push(segment);
  }

  private markChanged(segment: Segment<K>): void {
    if (segment.changed) return;
    segment.changed = true;
    this.changed.push(segment);
  }

  /** The newest segment of a slice, full or not. */
  private newestOf(startMs: number): Segment<K> | undefined {
    if (this.newest?.startMs === startMs) return this.newest;
    const found = this.segments[this.placeAfter(startMs) - 1];
    // A segment with another span was written before the ttl was changed: its slice has another meaning.
    return found?.startMs === startMs && found.spanMs === this.sliceMs ? found : undefined;
  }

  /** The segment of a slice that gets its next entry. */
  private openSegment(startMs: number): Segment<K> {
    let segment = this.newestOf(startMs);
    if (segment === undefined || segment.used >= SEGMENT_MAX) {
      segment = this.newSegment(this.nextId++, startMs, this.sliceMs);
      this.segments.splice(this.placeAfter(startMs), 0, segment);
    }
    this.newest = segment;
    return segment;
  }

  private newSegment(id: number, startMs: number, spanMs: number): Segment<K> {
    const free = this.freeSegments.pop();
    if (free) return free.reopen(id, startMs, spanMs);
    const segment = new Segment<K>(id, startMs, spanMs, this.table.length);
    this.table.push(segment);
    return segment;
  }

  /**
   * The index after the last segment that starts at `startMs` or before. Writes are mostly in order, so it searches from the end.
   */
  private placeAfter(startMs: number): number {
    let place = this.segments.length;
    while (place > 0 && (this.segments[place - 1] as Segment<K>).startMs > startMs) place--;
    return place;
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
      if (bucket === HORIZON) this.horizonMs = decode(tags.agedMapHorizon, bytes) as number;
      else this.thawSegment(bucket, bytes, version);
    }
    this.segments.sort((a, b) => a.startMs - b.startMs || a.id - b.id);
  }

  private thawSegment(id: number, bytes: Uint8Array, version: number): void {
    const migrate = migrationFor(version, this.version, this.migrate);
    const [startMs, spanMs, used, keys, offsetsMs, values, numbers] = decode(this.tag, bytes) as Bytes<K>;
    const fits = numbers && this.packed ? this.packed.fits(keys.length, numbers) : !numbers && !this.packed;
    if (!fits) throw unreadable('values of another width, or packed in one case and not in the other');
    const segment = this.newSegment(id, startMs, spanMs);
    for (let i = 0; i < keys.length; i++) {
      const kept = values ? values[i] : true;
      const value = this.packed ? this.packed.putCopy(kept, numbers as Float64Array, i) : kept;
      const place = segment.append(keys[i] as K, migrate ? migrate(value, version) : value, offsetsMs[i] ?? 0);
      this.index.set(keys[i] as K, (segment.slot << PLACE_BITS) + place);
    }
    segment.used = used;
    segment.stored = true;
    this.segments.push(segment);
    if (migrate) this.markChanged(segment);
    if (id >= this.nextId) this.nextId = id + 1;
  }
}
