import { assert, type BucketChange } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import type { MapCell } from './map-contract.js';
import { append, type Entry, Segment, unlink } from './segment.js';
import { type Migrate, migrationFor } from './versions.js';

/** Entries in a segment: what one new key writes again at most. */
const SEGMENT_MAX = 256;
/** Slices that a ttl is cut into: what is expired waits for at most one of them until its memory is free. */
const SLICES = 24;
/** The bucket that holds the time last told to `expire`; segments count from 1. */
const HORIZON = 0;

/** A segment's bucket. Without a ttl there are no offsets; values that are all `true` are left out. */
type Bytes<K, V> = readonly [
  startMs: number,
  spanMs: number,
  keys: readonly K[],
  offsetsMs: readonly number[] | null,
  values?: readonly V[],
];

/**
 * The map bounded by age or number: entries in segments in the order of their writes. Everything that decides
 * behaviour (order, which segment takes the next entry) can be read off the segments, so a restored map goes on as the live one would.
 */
export class AgedMap<K extends string | number, V> implements MapCell<K, V> {
  evicted = 0;
  private readonly index = new Map<K, Entry<K, V>>();
  /** By start, then by id: the oldest first. None is empty. */
  private segments: Segment<K, V>[] = [];
  /** The segment that took the last entry: the newest of its slice. */
  private newest: Segment<K, V> | undefined;
  private changed: Segment<K, V>[] = [];
  private dropped: number[] = [];
  private nextId = 1;
  private horizonMs = Number.NEGATIVE_INFINITY;
  private horizonChanged = false;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array; readonly version: number }[] | undefined;
  private readonly sliceMs: number;
  private readonly ttlMs: number;
  private readonly tag;

  constructor(
    private readonly version: number,
    private readonly migrate: Migrate<V> | undefined,
    ttlMs: number | undefined,
    private readonly entriesMax: number,
  ) {
    this.ttlMs = ttlMs ?? Number.POSITIVE_INFINITY;
    this.sliceMs = ttlMs === undefined ? 0 : Math.max(1, Math.ceil(ttlMs / SLICES));
    this.tag = ttlMs === undefined ? tags.orderedMap : tags.agedMap;
  }

  get size(): number {
    if (this.frozen) this.thaw();
    return this.index.size;
  }

  get(key: K): V | undefined {
    if (this.frozen) this.thaw();
    const entry = this.index.get(key);
    return entry === undefined || this.isExpired(entry) ? undefined : entry.value;
  }

  has(key: K): boolean {
    if (this.frozen) this.thaw();
    const entry = this.index.get(key);
    return entry !== undefined && !this.isExpired(entry);
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
    const entry = this.index.get(key);
    if (entry === undefined) {
      if (this.index.size >= this.entriesMax) this.evictOldest();
      const segment = this.openSegment(startMs);
      this.index.set(key, append(segment, key, value, offsetMs));
      this.markChanged(segment);
      return;
    }
    if (entry.segment !== this.newestOf(startMs)) {
      const segment = this.openSegment(startMs);
      this.remove(entry);
      this.index.set(key, append(segment, key, value, offsetMs));
      this.markChanged(segment);
      return;
    }
    entry.value = value;
    entry.offsetMs = offsetMs;
    this.markChanged(entry.segment);
  }

  delete(key: K): boolean {
    if (this.frozen) this.thaw();
    const entry = this.index.get(key);
    if (entry === undefined) return false;
    const live = !this.isExpired(entry);
    this.index.delete(key);
    this.remove(entry);
    return live;
  }

  *keys(): IterableIterator<K> {
    if (this.frozen) this.thaw();
    for (const segment of [...this.segments])
      for (let entry = segment.head, next = entry?.next; entry; entry = next, next = entry?.next)
        if (!this.isExpired(entry)) yield entry.key;
  }

  expire(nowMs: number): number {
    if (nowMs === this.horizonMs && !this.frozen) return 0;
    if (this.frozen) this.thaw();
    if (this.sliceMs === 0) return 0;
    if (nowMs !== this.horizonMs) this.horizonChanged = true;
    this.horizonMs = nowMs;
    const before = this.index.size;
    for (
      let oldest = this.segments[0];
      oldest && oldest.startMs + oldest.spanMs + this.ttlMs <= nowMs;
      oldest = this.segments[0]
    ) {
      for (let entry = oldest.head; entry; entry = entry.next) this.index.delete(entry.key);
      this.drop(oldest);
    }
    return before - this.index.size;
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // refuse at start, not at the first touch
    this.frozen ??= [];
    this.frozen.push({ bucket, bytes, version });
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = this.dropped.map((bucket) => ({ bucket, bytes: null }));
    this.dropped = [];
    for (const segment of this.changed) {
      segment.changed = false;
      if (segment.size === 0) continue;
      segment.stored = true;
      changes.push({ bucket: segment.id, bytes: encode(this.tag, this.bytesOf(segment)) });
    }
    this.changed = [];
    if (this.horizonChanged) changes.push({ bucket: HORIZON, bytes: encode(tags.agedMapHorizon, this.horizonMs) });
    this.horizonChanged = false;
    return changes;
  }

  private isExpired(entry: Entry<K, V>): boolean {
    return entry.segment.startMs + entry.offsetMs + this.ttlMs <= this.horizonMs;
  }

  private evictOldest(): void {
    const oldest = this.segments[0]?.head;
    assert(oldest, 'a full map has an oldest entry');
    this.index.delete(oldest.key);
    this.remove(oldest);
    this.evicted++;
  }

  private remove(entry: Entry<K, V>): void {
    const segment = entry.segment;
    unlink(entry);
    if (segment.size === 0) this.drop(segment);
    else this.markChanged(segment);
  }

  private drop(segment: Segment<K, V>): void {
    segment.clear();
    if (this.segments[0] === segment) this.segments.shift();
    else this.segments.splice(this.segments.indexOf(segment), 1);
    if (segment.stored) this.dropped.push(segment.id);
    if (this.newest === segment) this.newest = undefined;
  }

  private markChanged(segment: Segment<K, V>): void {
    if (segment.changed) return;
    segment.changed = true;
    this.changed.push(segment);
  }

  /** The newest segment of a slice, full or not. */
  private newestOf(startMs: number): Segment<K, V> | undefined {
    if (this.newest?.startMs === startMs) return this.newest;
    const found = this.segments[this.placeAfter(startMs) - 1];
    // A segment of another span was written before the ttl was changed: its slice means something else.
    return found?.startMs === startMs && found.spanMs === this.sliceMs ? found : undefined;
  }

  /** The segment of a slice that takes its next entry. */
  private openSegment(startMs: number): Segment<K, V> {
    let segment = this.newestOf(startMs);
    if (segment === undefined || segment.size >= SEGMENT_MAX) {
      segment = new Segment(this.nextId++, startMs, this.sliceMs);
      this.segments.splice(this.placeAfter(startMs), 0, segment);
    }
    this.newest = segment;
    return segment;
  }

  /** The place after the last segment that starts at `startMs` or before; writes are mostly in order, so search from the end. */
  private placeAfter(startMs: number): number {
    let place = this.segments.length;
    while (place > 0 && (this.segments[place - 1] as Segment<K, V>).startMs > startMs) place--;
    return place;
  }

  private bytesOf(segment: Segment<K, V>): Bytes<K, V> {
    const keys: K[] = [];
    const values: V[] = [];
    const offsets: number[] = [];
    let allTrue = true;
    for (let entry = segment.head; entry; entry = entry.next) {
      keys.push(entry.key);
      values.push(entry.value);
      offsets.push(entry.offsetMs);
      if (entry.value !== true) allTrue = false;
    }
    const times = this.sliceMs === 0 ? null : offsets;
    return allTrue
      ? [segment.startMs, segment.spanMs, keys, times]
      : [segment.startMs, segment.spanMs, keys, times, values];
  }

  private thaw(): void {
    const frozen = this.frozen ?? [];
    this.frozen = undefined;
    for (const { bucket, bytes, version } of frozen) {
      if (bucket === HORIZON) this.horizonMs = decode(tags.agedMapHorizon, bytes) as number;
      else this.thawSegment(bucket, bytes, version);
      if (bucket >= this.nextId) this.nextId = bucket + 1;
    }
    this.segments.sort((a, b) => a.startMs - b.startMs || a.id - b.id);
  }

  private thawSegment(id: number, bytes: Uint8Array, version: number): void {
    const migrate = migrationFor(version, this.version, this.migrate);
    const [startMs, spanMs, keys, offsets, values] = decode(this.tag, bytes) as Bytes<K, V>;
    const segment = new Segment<K, V>(id, startMs, spanMs);
    segment.stored = true;
    for (let i = 0; i < keys.length; i++) {
      const value = values ? values[i] : true;
      const entry = append(segment, keys[i] as K, migrate ? migrate(value, version) : (value as V), offsets?.[i] ?? 0);
      this.index.set(entry.key, entry);
    }
    this.segments.push(segment);
    if (migrate) this.markChanged(segment);
  }
}
