import { assert, type BucketChange, MillraceError } from '../../core/index.js';
import { checkTag, tags, unreadable } from '../codec.js';
import { migrationFor } from '../versions.js';
import { compactKeyBytesMax, hashCompactKey, readCompactKey, writeCompactKey } from './compact-key.js';
import { KeyRun, POSITION_BITS, RUN_BYTES } from './key-run.js';
import type { MapCell } from './map-contract.js';
import { type PlacedKeys, PlaceIndex } from './place-index.js';
import { HORIZON, TimeSlices } from './time-slices.js';

/** A bucket: the tag, the start and the span of the slice (64-bit floats, little-endian), and the entries as in memory. */
const ENTRIES_AT = 17;
const POSITION = RUN_BYTES - 1;
const SLOTS_MAX = 2 ** 32 / RUN_BYTES;
/** Segments of an ended slice that one record frees, so that none has to wait for all of them. */
const FREED_AT_ONCE = 2;
/** Segments that one turn reads after a restore. */
const READ_AT_ONCE = 64;
/** Equal to no key. */
const NO_KEY = Symbol('no key');
const NOWHERE = -1;

/**
 * A map that holds keys alone, limited by age and number: the keys as bytes, in segments in the order of their writes, with an index of
 * their places. Millions of keys cost the garbage collector nothing, and a stored segment is a copy of its bytes.
 */
export class AgedSet<K extends string | number> implements MapCell<K, true>, PlacedKeys {
  expired = 0;
  evicted = 0;
  /** By key: the slot of its segment, then the bits of its position there. */
  private readonly index: PlaceIndex;
  private readonly slices: TimeSlices<KeyRun>;
  /** The key that was sought last, its bytes and hash, and its place. */
  private soughtKey: K | typeof NO_KEY = NO_KEY;
  private sought = new Uint8Array(64);
  private soughtLength = 0;
  private soughtHash = 0;
  private soughtAt = NOWHERE;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array }[] | undefined;

  constructor(
    private readonly version: number,
    private readonly ttlMs: number,
    private readonly entriesMax: number,
    private readonly secret: Uint32Array,
  ) {
    this.index = new PlaceIndex(entriesMax, this);
    this.slices = new TimeSlices(ttlMs, newRun);
  }

  get size(): number {
    if (this.frozen) this.thaw();
    return this.index.size;
  }

  get(key: K): true | undefined {
    return this.has(key) || undefined;
  }

  has(key: K): boolean {
    const at = this.find(key);
    return at !== NOWHERE && !this.isExpired(this.runAt(at), at & POSITION);
  }

  set(key: K, _value: true, timeMs?: number): void {
    const startMs = this.slices.startOf(timeMs);
    const offsetMs = Math.ceil((timeMs as number) - startMs) | 0; // the same 32 bits, and never an object on the heap
    const at = this.find(key);
    if (at === NOWHERE) {
      if (this.index.size >= this.entriesMax) this.evictOldest();
      this.add(this.slices.open(startMs), offsetMs);
      return;
    }
    const run = this.runAt(at);
    if (run === this.slices.newestOf(startMs)) {
      run.setOffset(at & POSITION, offsetMs);
      this.slices.touch(run);
    } else {
      const target = this.slices.open(startMs);
      this.remove(run, at & POSITION, this.soughtHash);
      this.add(target, offsetMs);
    }
  }

  delete(key: K): boolean {
    const at = this.find(key);
    if (at === NOWHERE) return false;
    const run = this.runAt(at);
    const live = !this.isExpired(run, at & POSITION);
    this.remove(run, at & POSITION, this.soughtHash);
    return live;
  }

  *keys(): IterableIterator<K> {
    if (this.frozen) this.thaw();
    for (const run of [...this.slices.segments])
      for (let at = run.next(0); at < run.used; at = run.next(run.endOf(at)))
        if (!this.isExpired(run, at)) yield keyOf<K>(run, at);
  }

  expire(nowMs: number): void {
    if (this.frozen) this.thaw();
    this.slices.advance(nowMs);
    for (let freed = 0; freed < FREED_AT_ONCE; freed++) {
      const run = this.slices.over;
      if (run === undefined) return;
      for (let at = run.next(0); at < run.used; ) {
        const end = run.endOf(at);
        this.unlist(run, at, hashCompactKey(this.secret, run.bytes, run.keyAt(at), end));
        at = run.next(end);
      }
      this.expired += run.size;
      this.slices.drop(run);
    }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    if (bucket !== HORIZON) checkTag(tags.keySet, bytes);
    this.frozen ??= [];
    this.frozen.push({ bucket, bytes });
  }

  /** Reads some of the restored segments. */
  catchUp(): boolean {
    if (this.frozen === undefined) return false;
    for (const { bucket, bytes } of this.frozen.splice(-READ_AT_ONCE)) {
      if (bucket === HORIZON) this.slices.restoreHorizon(bytes);
      else this.takeRun(bucket, bytes);
    }
    if (this.frozen.length > 0) return true;
    this.frozen = undefined;
    this.slices.sort();
    return false;
  }

  takeChanges(): BucketChange[] {
    return this.slices.takeChanges(bytesOf);
  }

  /** Copies the keys with the times of their writes, the oldest first, without expired ones. */
  spread(cellOf: (key: string | number) => AgedSet<K>): void {
    if (this.frozen) this.thaw();
    const { horizonMs } = this.slices;
    for (const run of this.slices.segments)
      for (let at = run.next(0); at < run.used; at = run.next(run.endOf(at))) {
        if (this.isExpired(run, at)) continue;
        const key = keyOf<K>(run, at);
        const to = cellOf(key);
        to.set(key, true, run.startMs + run.offsetAt(at));
        if (horizonMs > to.slices.horizonMs) to.expire(horizonMs);
      }
  }

  isSought(place: number): boolean {
    return this.runAt(place).hasKey(place & POSITION, this.sought, this.soughtLength);
  }

  /** The place of a key, expired or not, or `NOWHERE`. Most writes follow a lookup of the same key. */
  private find(key: K): number {
    if (this.frozen) this.thaw();
    if (key === this.soughtKey) return this.soughtAt;
    const room = compactKeyBytesMax(key);
    if (room > this.sought.length) this.sought = new Uint8Array(2 * room);
    this.soughtKey = key;
    this.soughtLength = writeCompactKey(this.sought, 0, key);
    this.soughtHash = hashCompactKey(this.secret, this.sought, 0, this.soughtLength);
    this.soughtAt = this.index.find(this.soughtHash);
    return this.soughtAt;
  }

  private runAt(place: number): KeyRun {
    return this.slices.at(place >>> POSITION_BITS);
  }

  private isExpired(run: KeyRun, at: number): boolean {
    // Most segments are too young to have expired entries; then the time need not be read.
    const { horizonMs } = this.slices;
    return run.startMs + this.ttlMs <= horizonMs && run.startMs + run.offsetAt(at) + this.ttlMs <= horizonMs;
  }

  /** Adds the key that was sought. */
  private add(run: KeyRun, offsetMs: number): void {
    this.soughtAt = placeOf(run, run.append(this.sought, this.soughtLength, offsetMs));
    this.index.add(this.soughtHash, this.soughtAt);
    this.slices.touch(run);
  }

  private evictOldest(): void {
    const oldest = this.slices.segments[0];
    assert(oldest, 'a full set has a segment');
    const at = oldest.oldest();
    if (this.isExpired(oldest, at)) this.expired++;
    else this.evicted++;
    this.remove(oldest, at, this.hashOf(oldest, at));
  }

  private remove(run: KeyRun, at: number, hash: number): void {
    this.unlist(run, at, hash);
    run.remove(at);
    if (run.size === 0) this.slices.drop(run);
    else this.slices.touch(run);
  }

  private unlist(run: KeyRun, at: number, hash: number): void {
    const place = placeOf(run, at);
    this.index.remove(hash, place);
    if (place === this.soughtAt) this.soughtAt = NOWHERE;
  }

  private hashOf(run: KeyRun, at: number): number {
    return hashCompactKey(this.secret, run.bytes, run.keyAt(at), run.endOf(at));
  }

  private takeRun(id: number, bytes: Uint8Array): void {
    if (bytes.length < ENTRIES_AT) throw unreadable('a bucket without its head');
    const head = new DataView(bytes.buffer, bytes.byteOffset);
    const run = this.slices.restore(id, head.getFloat64(1, true), head.getFloat64(9, true));
    run.take(new Uint8Array(bytes.subarray(ENTRIES_AT))); // a copy, and not the log's buffer around it
    for (let at = run.next(0); at < run.used; at = run.next(run.endOf(at)))
      this.index.add(this.hashOf(run, at), placeOf(run, at));
  }

  private thaw(): void {
    while (this.catchUp());
  }
}

function newRun(slot: number): KeyRun {
  if (slot < SLOTS_MAX) return new KeyRun(slot);
  throw new MillraceError('state', 'the keys of a set take more than 4 GiB', {
    hint: 'use shorter keys, keep fewer of them, or divide the input into more partitions',
  });
}

const placeOf = (run: KeyRun, at: number): number => run.slot * RUN_BYTES + at;

const keyOf = <K extends string | number>(run: KeyRun, at: number): K => readCompactKey(run.bytes, run.keyAt(at)) as K;

function bytesOf({ startMs, spanMs, bytes, used }: KeyRun): Uint8Array {
  const stored = new Uint8Array(ENTRIES_AT + used);
  const head = new DataView(stored.buffer);
  head.setUint8(0, tags.keySet);
  head.setFloat64(1, startMs, true);
  head.setFloat64(9, spanMs, true);
  stored.set(bytes.subarray(0, used), ENTRIES_AT);
  return stored;
}
