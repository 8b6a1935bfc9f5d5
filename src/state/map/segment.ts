export const PLACE_BITS = 8;
/** Entries per segment: the most that one new key rewrites. */
export const SEGMENT_MAX = 1 << PLACE_BITS;

/**
 * A run of entries of an `AgedMap` that were written within one slice of time, in the order of writing: one bucket of the
 * changelog. It uses parallel arrays, because the garbage collection of millions of small objects would cost more than the rest of
 * the map. The arrays have their full length from the start, because growing arrays are copied repeatedly.
 */
export class Segment<K extends string | number> {
  /** `undefined` for a removed entry, and beyond `length`. */
  readonly keys: (K | undefined)[] = new Array(SEGMENT_MAX);
  readonly values: unknown[] = new Array(SEGMENT_MAX);
  /** The time of each write, counted from `startMs`; empty without a ttl. */
  readonly offsetsMs: Float64Array;
  /** Used indexes. */
  length = 0;
  /** Entries that still exist. */
  size = 0;
  /** Entries ever added: at `SEGMENT_MAX` it takes no more. */
  used = 0;
  /** Differs from its last version in the changelog. */
  changed = false;
  /** The changelog contains it, so its deletion must be written. */
  stored = false;
  private first = 0;

  constructor(
    public id: number,
    public startMs: number,
    public spanMs: number,
    /** Its index in the map's table; with the index of an entry, this is the key index's value. */
    readonly slot: number,
  ) {
    this.offsetsMs = new Float64Array(spanMs > 0 ? SEGMENT_MAX : 0);
  }

  /** Removes all entries. */
  clear(): void {
    this.keys.fill(undefined, 0, this.length);
    this.values.fill(undefined, 0, this.length);
    this.length = 0;
    this.size = 0;
    this.used = 0;
    this.first = 0;
    this.stored = false;
  }

  /** Reuses a cleared segment. It keeps its place among the changed ones. */
  reopen(id: number, startMs: number, spanMs: number): this {
    this.id = id;
    this.startMs = startMs;
    this.spanMs = spanMs;
    return this;
  }

  /** Adds an entry and returns its index. */
  append(key: K, value: unknown, offsetMs: number): number {
    const place = this.length++;
    this.size++;
    this.used++;
    this.keys[place] = key;
    this.values[place] = value;
    if (this.spanMs > 0) this.offsetsMs[place] = offsetMs;
    return place;
  }

  remove(place: number): void {
    this.keys[place] = undefined;
    this.values[place] = undefined;
    this.size--;
  }

  /** The indexes of the existing entries, in the order of writing. */
  places(): number[] {
    const places: number[] = [];
    for (let place = 0; place < this.length; place++) if (this.keys[place] !== undefined) places.push(place);
    return places;
  }

  /** The oldest key of a segment that is not empty. */
  oldestKey(): K {
    while (this.keys[this.first] === undefined) this.first++;
    return this.keys[this.first] as K;
  }
}
