import { assert, type BucketChange } from '../../core/index.js';
import { decode, encode, tags } from '../codec.js';

/** The number of slices of a ttl: the memory of an expired entry is freed after at most one slice. */
const SLICES = 24;
/** The longest slice: times within it fit into 32 bits. */
const SLICE_MAX_MS = 2 ** 31;
/** The bucket with the time last passed to `expire`; segments count from 1. */
export const HORIZON = 0;

/** A run of entries that were written within one slice of time: one bucket of the changelog. */
export interface SliceSegment {
  id: number;
  startMs: number;
  spanMs: number;
  /** Its index in the table of all segments, for as long as the cell lives. */
  readonly slot: number;
  /** Entries that still exist. */
  readonly size: number;
  /** It takes no more entries. */
  readonly isFull: boolean;
  /** Differs from its last version in the changelog. */
  changed: boolean;
  /** The changelog contains it, so its deletion must be written. */
  stored: boolean;
  /** Removes all entries. It keeps its memory for its next use. */
  clear(): void;
}

/**
 * The segments of a cell that is limited by age or number, in the order of the writes: by slice of time, then by id. A stream of new
 * entries changes only the newest segment. Everything that decides which segment gets the next entry is stored.
 */
export class TimeSlices<S extends SliceSegment> {
  /** By start, then by id: the oldest first. None is empty. */
  readonly segments: S[] = [];
  /** The time that was last passed to `expire`. */
  horizonMs = Number.NEGATIVE_INFINITY;
  readonly sliceMs: number;
  private readonly ttlMs: number;
  private readonly table: S[] = [];
  /** They are reused: new ones would soon be old garbage, the most expensive kind. */
  private readonly free: S[] = [];
  /** The segment that got the last entry: the newest of its slice. */
  private newest: S | undefined;
  /** What `startOf` said last. */
  private lastStartMs = Number.NaN;
  private changed: S[] = [];
  private dropped: number[] = [];
  private nextId = 1;
  private horizonChanged = false;

  constructor(
    ttlMs: number | undefined,
    private readonly create: (slot: number) => S,
  ) {
    this.ttlMs = ttlMs ?? Number.POSITIVE_INFINITY;
    this.sliceMs = ttlMs === undefined ? 0 : Math.min(Math.max(1, Math.ceil(ttlMs / SLICES)), SLICE_MAX_MS);
  }

  at(slot: number): S {
    return this.table[slot] as S;
  }

  /** The start of the slice of a write. */
  startOf(timeMs: number | undefined): number {
    if (this.sliceMs === 0) return 0;
    assert(timeMs !== undefined && Number.isFinite(timeMs), 'a cell with a ttl needs the event time of each write');
    // Most writes belong to the slice of the one before: no division for them.
    if (!(timeMs >= this.lastStartMs && timeMs < this.lastStartMs + this.sliceMs))
      this.lastStartMs = Math.floor(timeMs / this.sliceMs) * this.sliceMs;
    return this.lastStartMs;
  }

  /** The newest segment of a slice, full or not. */
  newestOf(startMs: number): S | undefined {
    if (this.newest?.startMs === startMs) return this.newest;
    const found = this.segments[this.placeAfter(startMs) - 1];
    // A segment with another span was written before the ttl was changed: its slice has another meaning.
    return found?.startMs === startMs && found.spanMs === this.sliceMs ? found : undefined;
  }

  /** The segment of a slice that gets its next entry. */
  open(startMs: number): S {
    let segment = this.newestOf(startMs);
    if (segment === undefined || segment.isFull) {
      segment = this.take(this.nextId++, startMs, this.sliceMs);
      this.segments.splice(this.placeAfter(startMs), 0, segment);
    }
    this.newest = segment;
    return segment;
  }

  /** Notes that a segment differs from the changelog. */
  touch(segment: S): void {
    if (segment.changed) return;
    segment.changed = true;
    this.changed.push(segment);
  }

  /** Removes a segment with all its entries. */
  drop(segment: S): void {
    if (this.segments[0] === segment) this.segments.shift();
    else this.segments.splice(this.segments.indexOf(segment), 1);
    if (segment.stored) this.dropped.push(segment.id);
    if (this.newest === segment) this.newest = undefined;
    segment.clear();
    segment.stored = false;
    this.free.push(segment);
  }

  advance(nowMs: number): void {
    if (nowMs === this.horizonMs) return;
    this.horizonMs = nowMs;
    this.horizonChanged = true;
  }

  /** The oldest segment, if all that was ever written to its slice is expired. */
  get over(): S | undefined {
    const oldest = this.segments[0];
    return oldest && oldest.startMs + oldest.spanMs + this.ttlMs <= this.horizonMs ? oldest : undefined;
  }

  /** The buckets changed since the last call. */
  takeChanges(bytesOf: (segment: S) => Uint8Array): BucketChange[] {
    const changes: BucketChange[] = this.dropped.map((bucket) => ({ bucket, bytes: null }));
    this.dropped = [];
    for (const segment of this.changed) {
      segment.changed = false;
      if (segment.size === 0) continue; // dropped meanwhile
      segment.stored = true;
      changes.push({ bucket: segment.id, bytes: bytesOf(segment) });
    }
    this.changed = [];
    if (this.horizonChanged) changes.push({ bucket: HORIZON, bytes: encode(tags.agedMapHorizon, this.horizonMs) });
    this.horizonChanged = false;
    return changes;
  }

  /** Adds a segment of the changelog, without its entries. Call `sort` when all are there. */
  restore(id: number, startMs: number, spanMs: number): S {
    const segment = this.take(id, startMs, spanMs);
    segment.stored = true;
    this.segments.push(segment);
    if (id >= this.nextId) this.nextId = id + 1;
    return segment;
  }

  restoreHorizon(bytes: Uint8Array): void {
    this.horizonMs = decode(tags.agedMapHorizon, bytes) as number;
  }

  sort(): void {
    this.segments.sort((a, b) => a.startMs - b.startMs || a.id - b.id);
  }

  private take(id: number, startMs: number, spanMs: number): S {
    const segment = this.free.pop() ?? this.create(this.table.length);
    this.table[segment.slot] = segment;
    segment.id = id;
    segment.startMs = startMs;
    segment.spanMs = spanMs;
    return segment;
  }

  /**
   * The index after the last segment that starts at `startMs` or before. Writes are mostly in order, so it searches from the end.
   */
  private placeAfter(startMs: number): number {
    let place = this.segments.length;
    while (place > 0 && (this.segments[place - 1] as S).startMs > startMs) place--;
    return place;
  }
}
