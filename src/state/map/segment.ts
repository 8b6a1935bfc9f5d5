export const PLACE_BITS = 8;
/** Entries in a segment: what one new key writes again at most. */
export const SEGMENT_MAX = 1 << PLACE_BITS;

/**
 * A run of entries of an `AgedMap` written within the same slice of time, in the order of writing: one bucket of the
 * changelog. Parallel arrays rather than an object an entry: millions of small objects would cost more in garbage
 * collection than everything else that the map does. They have their full length at once, since an array that grows is
 * copied again and again.
 */
export class Segment<K extends string | number> {
  /** `undefined` where an entry was removed, and beyond `length`. */
  readonly keys: (K | undefined)[] = new Array(SEGMENT_MAX);
  readonly values: unknown[] = new Array(SEGMENT_MAX);
  /** Time of each write, counted from `startMs`; empty without a ttl. */
  readonly offsetsMs: Float64Array;
  /** Places taken. */
  length = 0;
  /** Entries that are still here. */
  size = 0;
  /** Entries that ever were: at `SEGMENT_MAX` it takes no more. */
  used = 0;
  /** Differs from what was last handed to the changelog. */
  changed = false;
  /** The changelog knows it, so its end must be told too. */
  stored = false;
  private first = 0;

  constructor(
    public id: number,
    public startMs: number,
    public spanMs: number,
    /** Its place in the map's table: with the place of an entry, what the index refers to. */
    readonly slot: number,
  ) {
    this.offsetsMs = new Float64Array(spanMs > 0 ? SEGMENT_MAX : 0);
  }

  /** Forgets all entries. */
  clear(): void {
    this.keys.fill(undefined, 0, this.length);
    this.values.fill(undefined, 0, this.length);
    this.length = 0;
    this.size = 0;
    this.used = 0;
    this.first = 0;
    this.stored = false;
  }

  /** A cleared segment begins anew as another one. Whether it is among the changed ones stays as it is. */
  reopen(id: number, startMs: number, spanMs: number): this {
    this.id = id;
    this.startMs = startMs;
    this.spanMs = spanMs;
    return this;
  }

  /** Adds an entry and returns its place. */
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

  /** The places of the entries that are still here, in the order of writing. */
  places(): number[] {
    const places: number[] = [];
    for (let place = 0; place < this.length; place++) if (this.keys[place] !== undefined) places.push(place);
    return places;
  }

  /** The key of the entry that was written first, of a segment that has any. */
  oldestKey(): K {
    while (this.keys[this.first] === undefined) this.first++;
    return this.keys[this.first] as K;
  }
}
