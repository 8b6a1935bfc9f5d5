import { assert, type BucketChange, type Cell, type CellSpec, MillraceError } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import { migrationFor } from './versions.js';

/**
 * Timers in event time: a set of `(time, key)`, ordered by time, then by key (numbers before strings). The order depends on the
 * content alone, so a restored queue fires like the original.
 */
export interface TimerCell<K extends string | number> extends Cell {
  /**
   * Adds a timer; `false` if it exists already.
   *
   * @throws MillraceError `step` if it would be more than `timersMax`.
   */
  add(timeMs: number, key: K): boolean;
  /** Removes a timer; `false` if there is none. */
  delete(timeMs: number, key: K): boolean;
  has(timeMs: number, key: K): boolean;
  /** The time of the first timer; infinity if there is none. */
  readonly nextMs: number;
  /**
   * Removes the timers up to and including `nowMs`, one after another, and calls `fire` for each. Timers that `fire` adds up to
   * `nowMs` fire in the same call; it must not add earlier ones than the current one.
   */
  takeDue(nowMs: number, fire: (key: K, timeMs: number) => void): void;
  readonly size: number;
}

/** The limit of timers. */
export interface TimerCellOptions {
  /** The most timers. A step that prefers to refuse a record checks `size` before it adds one. */
  readonly timersMax: number;
}

/**
 * For timers that are bounded by what they are set for. A bound of their own would stop the step where that of the others is
 * lowered, or where the timers of several tasks come into one.
 */
export const ALL_TIMERS = Number.MAX_SAFE_INTEGER;

/** The most timers of a leaf, which is what one change rewrites. */
const LEAF_MAX = 256;

/**
 * Declares a queue of timers in event time, for steps that emit when the watermark passes a time.
 *
 * Timers are sorted in leaves of up to 256, one bucket each. Most timers are set for the near future and fire in order, so an epoch
 * writes the last leaves and the first one; random times write a leaf each.
 *
 * @example
 * const cells = { due: timerCell<string>({ timersMax: 1_000_000 }) };
 * // in onRecord: due.add(origin.eventTimeMs + hour, key);
 * // in onWatermark: due.takeDue(watermarkMs, (key, timeMs) => emit(expired(key), timeMs));
 *
 * Errors: `config` for an impossible limit, `state` for a checkpoint that cannot be read. Memory: 16 bytes per timer and its key,
 * at most `timersMax` times; changelog: about 4 bytes and the key.
 */
export function timerCell<K extends string | number>({ timersMax }: TimerCellOptions): CellSpec<TimerCell<K>> {
  if (!(timersMax >= 1))
    throw new MillraceError('config', `a queue cannot hold ${timersMax} timers`, { hint: 'give it a positive number' });
  return { kind: 'timers', version: VERSION, tags: [tags.timers], open: () => new Timers<K>(timersMax) };
}

const VERSION = 1;

/** A leaf's bucket: times relative to the first one. */
type Bytes<K> = readonly [firstMs: number, offsetsMs: readonly number[], keys: readonly K[]];

interface Leaf<K> {
  readonly id: number;
  times: number[];
  keys: K[];
  /** The number of timers at the front that have fired or were deleted. */
  gone: number;
  dirty: boolean;
  stored: boolean;
}

class Timers<K extends string | number> implements TimerCell<K> {
  private count = 0;
  private readonly leaves: Leaf<K>[] = [];
  private dirty: Leaf<K>[] = [];
  private dropped: number[] = [];
  private nextId = 0;
  /** The leaf that was looked for last, other than the last one. */
  private near = 0;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array }[] = [];

  constructor(private readonly timersMax: number) {}

  get size(): number {
    this.thaw();
    return this.count;
  }

  get nextMs(): number {
    this.thaw();
    const first = this.leaves[0];
    return first ? (first.times[first.gone] as number) : Number.POSITIVE_INFINITY;
  }

  add(timeMs: number, key: K): boolean {
    assert(Number.isFinite(timeMs), 'a timer needs a time');
    this.thaw();
    const at = this.leafFor(timeMs, key);
    const leaf = this.leaves[at] ?? this.newLeaf(0);
    const place = placeIn(leaf, timeMs, key);
    if (isAt(leaf, place, timeMs, key)) return false;
    if (this.count >= this.timersMax)
      throw new MillraceError('step', `more than ${this.timersMax} timers`, {
        hint: 'raise the limit of the step, or shorten its retention',
      });
    this.count++;
    insert(leaf.times, place, timeMs);
    insert(leaf.keys, place, key);
    this.markDirty(leaf);
    if (leaf.times.length > LEAF_MAX) this.split(this.leaves.indexOf(leaf, at), place);
    return true;
  }

  delete(timeMs: number, key: K): boolean {
    this.thaw();
    const at = this.leafFor(timeMs, key);
    const leaf = this.leaves[at];
    if (!leaf) return false;
    const place = placeIn(leaf, timeMs, key);
    if (!isAt(leaf, place, timeMs, key)) return false;
    this.count--;
    if (place === leaf.gone) leaf.gone++;
    else {
      leaf.times.splice(place, 1);
      leaf.keys.splice(place, 1);
    }
    if (leaf.times.length === leaf.gone) this.drop(at);
    else this.markDirty(leaf);
    return true;
  }

  has(timeMs: number, key: K): boolean {
    this.thaw();
    const leaf = this.leaves[this.leafFor(timeMs, key)];
    return leaf !== undefined && isAt(leaf, placeIn(leaf, timeMs, key), timeMs, key);
  }

  takeDue(nowMs: number, fire: (key: K, timeMs: number) => void): void {
    this.thaw();
    for (;;) {
      const leaf = this.leaves[0];
      const timeMs = leaf?.times[leaf.gone];
      if (leaf === undefined || timeMs === undefined || timeMs > nowMs) return;
      const key = leaf.keys[leaf.gone] as K;
      leaf.gone++;
      this.count--;
      if (leaf.gone === leaf.times.length) this.drop(0);
      else this.markDirty(leaf);
      fire(key, timeMs);
    }
  }

  spread(cellOf: (key: string | number) => Timers<K>): void {
    this.thaw();
    for (const { times, keys, gone } of this.leaves)
      for (let place = gone; place < times.length; place++) {
        const key = keys[place] as K;
        cellOf(key).add(times[place] as number, key);
      }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, VERSION, undefined);
    this.frozen.push({ bucket, bytes });
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = this.dropped.map((bucket) => ({ bucket, bytes: null }));
    this.dropped = [];
    for (const leaf of this.dirty) {
      leaf.dirty = false;
      if (leaf.times.length === leaf.gone) continue; // dropped meanwhile
      trim(leaf);
      leaf.stored = true;
      changes.push({ bucket: leaf.id, bytes: encode(tags.timers, bytesOf(leaf)) });
    }
    this.dirty = [];
    return changes;
  }

  /** The leaf of a timer: the last one that does not begin after it. Most are in the last leaf, or in that of the timer before. */
  private leafFor(timeMs: number, key: K): number {
    const { near } = this;
    let high = this.leaves.length - 1;
    if (high <= 0 || !this.isBefore(timeMs, key, high)) return Math.max(0, high);
    if (near < high && !this.isBefore(timeMs, key, near) && this.isBefore(timeMs, key, near + 1)) return near;
    let low = 0;
    for (high--; low < high; ) {
      const middle = (low + high + 1) >>> 1;
      if (this.isBefore(timeMs, key, middle)) high = middle - 1;
      else low = middle;
    }
    this.near = low;
    return low;
  }

  /** Whether a timer is before the first one of a leaf. */
  private isBefore(timeMs: number, key: K, at: number): boolean {
    const { times, keys, gone } = this.leaves[at] as Leaf<K>;
    return compare(timeMs, key, times[gone] as number, keys[gone] as K) < 0;
  }

  /** Halves a full leaf; one that grew at its end, as most do, keeps its timers. */
  private split(at: number, place: number): void {
    const leaf = this.leaves[at] as Leaf<K>;
    trim(leaf);
    const { length } = leaf.times;
    if (length <= LEAF_MAX) return;
    const from = place === length - 1 ? place : length >>> 1;
    const right = this.newLeaf(at + 1);
    right.times = leaf.times.splice(from);
    right.keys = leaf.keys.splice(from);
    this.markDirty(right);
  }

  private newLeaf(at: number): Leaf<K> {
    const leaf: Leaf<K> = { id: this.nextId++, times: [], keys: [], gone: 0, dirty: false, stored: false };
    this.leaves.splice(at, 0, leaf);
    return leaf;
  }

  private drop(at: number): void {
    const [leaf] = this.leaves.splice(at, 1) as [Leaf<K>];
    leaf.gone = leaf.times.length;
    if (leaf.stored) this.dropped.push(leaf.id);
  }

  private markDirty(leaf: Leaf<K>): void {
    if (leaf.dirty) return;
    leaf.dirty = true;
    this.dirty.push(leaf);
  }

  private thaw(): void {
    if (this.frozen.length === 0) return;
    for (const { bucket: id, bytes } of this.frozen) {
      const [firstMs, offsetsMs, keys] = decode(tags.timers, bytes) as Bytes<K>;
      const times = offsetsMs.map((offsetMs) => firstMs + offsetMs);
      this.leaves.push({ id, times, keys: [...keys], gone: 0, dirty: false, stored: true });
      this.count += times.length;
      this.nextId = Math.max(this.nextId, id + 1);
    }
    this.frozen = [];
    this.leaves.sort((a, b) => compare(a.times[0] as number, a.keys[0] as K, b.times[0] as number, b.keys[0] as K));
  }
}

function bytesOf<K>({ times, keys }: Leaf<K>): Bytes<K> {
  const first = times[0] as number;
  const exact = times.every(Number.isSafeInteger) && Number.isSafeInteger((times.at(-1) as number) - first);
  const firstMs = exact ? first : 0;
  return [firstMs, times.map((timeMs) => timeMs - firstMs), keys];
}

function trim<K>(leaf: Leaf<K>): void {
  if (leaf.gone === 0) return;
  leaf.times.splice(0, leaf.gone);
  leaf.keys.splice(0, leaf.gone);
  leaf.gone = 0;
}

/** The index of a timer in a leaf, or where it would go. */
function placeIn<K extends string | number>({ times, keys, gone }: Leaf<K>, timeMs: number, key: K): number {
  let low = gone;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(times[middle] as number, keys[middle] as K, timeMs, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert<T>(into: T[], place: number, value: T): void {
  if (place === into.length) into.push(value);
  else into.splice(place, 0, value);
}

const isAt = <K>({ times, keys }: Leaf<K>, place: number, timeMs: number, key: K): boolean =>
  times[place] === timeMs && keys[place] === key;

function compare(aMs: number, a: string | number, bMs: number, b: string | number): number {
  if (aMs !== bMs) return aMs - bMs;
  if (a === b) return 0;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}
