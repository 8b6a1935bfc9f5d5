import type { BucketChange } from '../../core/index.js';
import { pushAll } from '../../util/arrays.js';
import { checkTag, tags, unreadable } from '../codec.js';
import { hashKey } from './hash.js';
import { PackedEntries } from './packed-entries.js';

// The buckets of a shard: a base with all its entries, and deltas, each with the entries written since the previous one. Small
// deltas are merged, `SMALL_MAX` into one, so that a restore reads few buckets. A bucket is its tag, the shard's number of keys (32
// bits, little-endian), and the entries as in memory.

const HEAD_BYTES = 5;
const SMALL_MAX = 64;
const MERGED_MAX = 63;
const BASE = 0;
const FIRST_SMALL = 1;
const FIRST_MERGED = FIRST_SMALL + SMALL_MAX;
/** Part of the stored format: see `bucketOf`. */
const PIECES = FIRST_MERGED + MERGED_MAX;
/** Lower numbers belong to buckets of the format without shards. */
export const FIRST_BUCKET = 1_024;
/** A smaller shard is rewritten whole, since a delta would cost about as much. */
const SMALL_BYTES = 256;
/** The most keys of a shard after its base was written. */
const KEYS_MAX = 1_024;
const BYTES_MAX = 256 * 1024;
const DEPTH_MAX = 24;

const bucketOf = (node: number, place: number): number => FIRST_BUCKET + node * PIECES + place;

/** The node of the shard tree that a bucket belongs to, numbered as in a heap from 1. */
export const nodeOfBucket = (bucket: number): number => Math.floor((bucket - FIRST_BUCKET) / PIECES);

export interface Piece {
  readonly place: number;
  readonly bytes: Uint8Array;
  readonly version: number;
}

export const pieceOf = (bucket: number, bytes: Uint8Array, version: number): Piece => {
  const place = (bucket - FIRST_BUCKET) % PIECES;
  checkTag(place === BASE ? tags.shardBase : tags.shardDelta, bytes);
  if (bytes.length < HEAD_BYTES) throw unreadable('a bucket without its head');
  return { place, bytes, version };
};

/** The keys whose hashes share their first bits, as many as the shard is deep: the unit of writing and restoring. */
export class Shard {
  /** Written since the last `take`. */
  dirty = false;
  readonly depth: number;
  /** Its entries, after `open`. */
  opened: PackedEntries | undefined;
  private frozen: readonly Piece[];
  private frozenKeys = 0;
  /** Whether a base is stored, and the number of deltas. */
  private stored: boolean;
  private smalls = 0;
  private merged = 0;
  /** The ends of the entries in the base, in merged deltas, and in any bucket. */
  private baseEnd = 0;
  private mergedEnd = 0;
  private storedEnd = 0;
  private wholly = false;

  constructor(
    /** 1 for all keys; `2n` and `2n + 1` divide the keys of `n`. */
    readonly node: number,
    pieces: readonly Piece[] = [],
  ) {
    this.depth = 31 - Math.clz32(node);
    this.frozen = [...pieces].sort((a, b) => ageOf(a) - ageOf(b));
    this.stored = pieces.length > 0;
    const newest = this.frozen.at(-1)?.bytes;
    if (newest) this.frozenKeys = countIn(newest);
    if (this.stored && this.frozen[0]?.place !== BASE) throw unreadable('a shard without its base');
  }

  get size(): number {
    return this.opened ? this.opened.count : this.frozenKeys;
  }

  /**
   * Indexes the entries; `migrate` converts values of other versions.
   *
   * @throws MillraceError `state` if the bytes are damaged.
   */
  open(version: number, migrate: (value: unknown, from: number) => unknown): PackedEntries {
    const entries = new PackedEntries();
    const bodies = this.frozen.map(({ bytes }) => bytes.subarray(HEAD_BYTES));
    entries.reserve(bodies.length > 1 ? bodies.reduce((sum, { length }) => sum + length, 0) : 0, this.frozenKeys);
    this.frozen.forEach(({ place, version: from }, index) => {
      entries.takeIn(bodies[index] as Uint8Array);
      if (place === BASE) this.baseEnd = entries.used;
      if (place === BASE || place >= FIRST_MERGED) this.mergedEnd = entries.used;
      if (place >= FIRST_MERGED) this.merged++;
      else if (place !== BASE) this.smalls++;
      if (from === version) return;
      // Migrated piece by piece, because a later piece may have another version.
      for (const { hash, key, at } of [...entries.entries()])
        entries.set(hash, key, migrate(entries.valueAt(at), from));
    });
    if (entries.count !== this.frozenKeys) throw unreadable('a shard has other keys than its buckets state');
    this.storedEnd = entries.used;
    this.wholly = this.frozen.some(({ version: from }) => from !== version);
    this.frozen = [];
    this.opened = entries;
    return entries;
  }

  /** The buckets with the changes since the last call, and the shards that replace this one if it is split. */
  take(): { readonly changes: BucketChange[]; readonly split?: readonly Shard[] } {
    const entries = this.opened as PackedEntries;
    this.dirty = false;
    if (entries.count === 0) {
      const changes = this.forget();
      this.opened = new PackedEntries();
      return { changes };
    }
    if (this.isDue(entries)) return this.takeWhole(entries);
    // Shards that are written in every epoch should not all be merged in the same one.
    if (this.smalls < (this.merged === 0 ? 1 + (this.spread() % SMALL_MAX) : SMALL_MAX)) {
      const changes = [this.piece(FIRST_SMALL + this.smalls++, this.storedEnd)];
      this.storedEnd = entries.used;
      return { changes };
    }
    const changes = [
      this.piece(FIRST_MERGED + this.merged++, this.mergedEnd),
      ...this.dropped(FIRST_SMALL, this.smalls),
    ];
    this.smalls = 0;
    this.mergedEnd = entries.used;
    this.storedEnd = entries.used;
    return { changes };
  }

  /** Whether the whole shard is due to be rewritten: when its deltas outweigh the base, at different times for different shards. */
  private isDue({ used, liveBytes }: PackedEntries): boolean {
    if (!this.stored || this.wholly || liveBytes <= SMALL_BYTES) return true;
    if (this.merged === MERGED_MAX) return true;
    return used - this.baseEnd > this.baseEnd * (0.5 + this.spread() / 2 ** 32);
  }

  /** 32 bits that differ between shards, and after each rewrite of the base. */
  private spread(): number {
    return hashKey(this.node ^ (this.baseEnd << 8));
  }

  private takeWhole(entries: PackedEntries): ReturnType<Shard['take']> {
    const levels = Math.min(DEPTH_MAX - this.depth, levelsFor(entries));
    if (levels === 0) {
      const kept = new PackedEntries();
      kept.reserve(entries.liveBytes, entries.count);
      entries.moveTo(() => kept);
      this.opened = kept;
      const deltas = this.stored ? this.dropDeltas() : [];
      this.restart(kept);
      return { changes: [this.piece(BASE, 0), ...deltas] };
    }
    const shards = Array.from({ length: 2 ** levels }, (_, place) => new Shard(this.node * 2 ** levels + place));
    const parts = shards.map(() => new PackedEntries());
    const shift = 32 - this.depth - levels;
    entries.moveTo((hash) => parts[(hash >>> shift) & (2 ** levels - 1)] as PackedEntries);
    const changes = this.forget();
    const split = shards.flatMap((shard, place) => {
      const part = parts[place] as PackedEntries;
      shard.opened = part;
      if (part.count === 0) return [shard];
      const taken = shard.takeWhole(part); // keys are never distributed quite evenly
      pushAll(changes, taken.changes);
      return taken.split ?? [shard];
    });
    return { changes, split };
  }

  private restart({ used }: PackedEntries): void {
    this.stored = true;
    this.wholly = false;
    this.baseEnd = used;
    this.mergedEnd = used;
    this.storedEnd = used;
  }

  private forget(): BucketChange[] {
    if (!this.stored) return [];
    this.stored = false;
    return [{ bucket: bucketOf(this.node, BASE), bytes: null }, ...this.dropDeltas()];
  }

  private dropDeltas(): BucketChange[] {
    const changes = [...this.dropped(FIRST_MERGED, this.merged), ...this.dropped(FIRST_SMALL, this.smalls)];
    this.merged = 0;
    this.smalls = 0;
    return changes;
  }

  private dropped(first: number, count: number): BucketChange[] {
    return Array.from({ length: count }, (_, i) => ({ bucket: bucketOf(this.node, first + i), bytes: null }));
  }

  private piece(place: number, from: number): BucketChange {
    const { opened, node } = this;
    const bytes = (opened as PackedEntries).copyFrom(from, HEAD_BYTES);
    bytes[0] = place === BASE ? tags.shardBase : tags.shardDelta;
    new DataView(bytes.buffer).setUint32(1, this.size, true);
    return { bucket: bucketOf(node, place), bytes };
  }
}

/** The base first, then merged deltas, then small ones: the order of their writes. */
const ageOf = ({ place }: Piece): number => (place >= FIRST_SMALL && place < FIRST_MERGED ? place + PIECES : place);

const countIn = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);

function levelsFor({ count, liveBytes }: PackedEntries): number {
  const parts = Math.max(count / KEYS_MAX, Math.min(liveBytes / BYTES_MAX, count));
  return parts <= 1 ? 0 : Math.ceil(Math.log2(parts));
}
