import type { SliceSegment } from './time-slices.js';

export const PLACE_BITS = 8;
/** Entries per segment: the most that one new key rewrites. */
export const SEGMENT_MAX = 1 << PLACE_BITS;

/**
 * A segment of an `AgedMap`: entries in the order of writing. It uses parallel arrays, because the garbage collection of millions of
 * small objects would cost more than the rest of the map. The arrays have their full length from the start, because growing arrays are copied repeatedly.
 */
export class Segment<K extends string | number> implements SliceSegment {
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
  id = 0;
  startMs = 0;
  spanMs = 0;
  changed = false;
  stored = false;
  private first = 0;

  constructor(
    /** With the index of an entry, this is the key index's value. */
    readonly slot: number,
    hasTimes: boolean,
  ) {
    this.offsetsMs = new Float64Array(hasTimes ? SEGMENT_MAX : 0);
  }

  get isFull(): boolean {
    return this.used >= SEGMENT_MAX;
  }

  clear(): void {
    this.keys.fill(undefined, 0, this.length);
    this.values.fill(undefined, 0, this.length);
    this.length = 0;
    this.size = 0;
    this.used = 0;
    this.first = 0;
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
