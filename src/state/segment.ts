export const PLACE_BITS = 8;
/** Entries in a segment: what one new key writes again at most. */
export const SEGMENT_MAX = 1 << PLACE_BITS;

/**
 * A run of entries of an `AgedMap` written within the same slice of time, in the order of writing: one bucket of the
 * changelog. Parallel arrays rather than an object an entry: millions of small objects would cost more in garbage
 * collection than everything else that the map does.
 */
export class Segment<K extends string | number> {
  /** `undefined` where an entry was removed. */
  readonly keys: (K | undefined)[] = [];
  readonly values: unknown[] = [];
  /** Time of each write, counted from `startMs`; empty without a ttl. */
  readonly offsetsMs: number[] = [];
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
    readonly id: number,
    readonly startMs: number,
    readonly spanMs: number,
    /** Its place in the map's table: with the place of an entry, what the index refers to. */
    readonly slot: number,
  ) {}

  /** Adds an entry and returns its place. */
  append(key: K, value: unknown, offsetMs: number): number {
    this.size++;
    this.used++;
    if (this.spanMs > 0) this.offsetsMs.push(offsetMs);
    this.values.push(value);
    return this.keys.push(key) - 1;
  }

  remove(place: number): void {
    this.keys[place] = undefined;
    this.values[place] = undefined;
    this.size--;
  }

  /** The key of the entry that was written first, of a segment that has any. */
  oldestKey(): K {
    while (this.keys[this.first] === undefined) this.first++;
    return this.keys[this.first] as K;
  }
}
