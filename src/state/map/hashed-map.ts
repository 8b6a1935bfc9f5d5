import type { BucketChange } from '../../core/index.js';
import { decode, tags } from '../codec.js';
import { type Migrate, migrationFor } from '../versions.js';
import { hashKey } from './hash.js';
import { KeyIndex } from './key-index.js';
import type { MapCell } from './map-contract.js';
import type { PackedEntries } from './packed-entries.js';
import { FIRST_BUCKET, nodeOfBucket, type Piece, pieceOf, type Shard } from './shard.js';
import { ShardTree } from './shard-tree.js';

/** Entries that are kept decoded: this many to twice as many. */
const DECODED_MAX = 131_072;
/** Replaces a value that is only encoded in its shard. */
const ENCODED = Symbol('encoded');
/** A bucket of the format without shards: keys and, unless all are `true`, their values. */
type OldBytes<K, V> = readonly [keys: readonly K[], values?: readonly V[]];

/** A recently used key. */
interface Entry<K, V> {
  readonly key: K;
  readonly hash: number;
  value: V | undefined | typeof ENCODED;
  /** The map contains the key. */
  held: boolean;
  /** Differs from its shard. */
  dirty: boolean;
}

/** Entries that were used lately. A `Map` of them would take five times as long where keys are integers that count up. */
class Recent<K extends string | number, V> {
  private readonly index = new KeyIndex<K>();
  private readonly entries: Entry<K, V>[] = [];

  get size(): number {
    return this.entries.length;
  }

  get(key: K): Entry<K, V> | undefined {
    const at = this.index.get(key);
    return at < 0 ? undefined : this.entries[at];
  }

  /** Adds an entry whose key is not here. */
  add(entry: Entry<K, V>): void {
    this.index.set(entry.key, this.entries.length);
    this.entries.push(entry);
  }
}

/**
 * The unbounded map: entries as bytes in shards by hash of their key, with recently used ones decoded. A change writes the changed
 * entries as a delta of each touched shard. A shard is rewritten when its deltas outweigh it, so in the long run two to three bytes
 * are written per changed byte. A restore decodes nothing: a shard is indexed at its first access, a value decoded when it is read.
 */
export class HashedMap<K extends string | number, V> implements MapCell<K, V> {
  readonly expired = 0;
  readonly evicted = 0;
  private young = new Recent<K, V>();
  private old = new Recent<K, V>();
  /** The last lookup: most writes follow one of the same key. */
  private last: Entry<K, V> | undefined;
  private dirty: Entry<K, V>[] = [];
  private dirtyShards: Shard[] = [];
  private keysHeld = 0;
  private writes = 0;
  private tree: ShardTree | undefined;
  private restored = new Map<number, Piece[]>();
  private oldBuckets: { readonly bucket: number; readonly bytes: Uint8Array; readonly version: number }[] = [];
  private gone: BucketChange[] = [];

  constructor(
    private readonly version: number,
    private readonly migrate: Migrate<V> | undefined,
  ) {}

  get size(): number {
    this.shards();
    return this.keysHeld;
  }

  get(key: K): V | undefined {
    const entry = this.entry(key);
    if (entry.value === ENCODED) {
      const packed = this.open(this.shards().at(entry.hash));
      entry.value = packed.valueAt(packed.find(entry.hash, key)) as V;
    }
    return entry.value;
  }

  has(key: K): boolean {
    return this.entry(key).held;
  }

  set(key: K, value: V): void {
    const entry = this.entry(key);
    entry.value = value;
    if (!entry.held) this.keysHeld++;
    entry.held = true;
    this.markDirty(entry);
  }

  delete(key: K): boolean {
    const entry = this.entry(key);
    if (!entry.held) return false;
    entry.value = undefined;
    entry.held = false;
    this.keysHeld--;
    this.markDirty(entry);
    return true;
  }

  *keys(): IterableIterator<K> {
    this.fold();
    const { writes } = this;
    for (const shard of this.shards()) {
      // In the order of hashes, which depends on the keys alone: a restored map must not differ from the original.
      const entries = [...this.open(shard).entries()].sort((a, b) => a.hash - b.hash || order(a.key, b.key));
      for (const { key } of entries) if (this.writes === writes || this.has(key as K)) yield key as K;
    }
  }

  expire(): void {}

  spread(cellOf: (key: string | number) => HashedMap<K, V>): void {
    for (const key of this.keys()) cellOf(key).set(key, this.get(key) as V);
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // an error at start is better than at the first access
    if (bucket < FIRST_BUCKET) {
      this.oldBuckets.push({ bucket, bytes, version });
      return;
    }
    const node = nodeOfBucket(bucket);
    const pieces = this.restored.get(node);
    if (pieces) pieces.push(pieceOf(bucket, bytes, version));
    else this.restored.set(node, [pieceOf(bucket, bytes, version)]);
  }

  takeChanges(): BucketChange[] {
    this.fold();
    const changes = this.gone;
    this.gone = [];
    const shards = this.dirtyShards;
    this.dirtyShards = [];
    for (const shard of shards) {
      const taken = shard.take();
      for (const change of taken.changes) changes.push(change);
      if (taken.split) this.tree?.replace(taken.split);
    }
    return changes;
  }

  private entry(key: K): Entry<K, V> {
    if (this.last !== undefined && this.last.key === key) return this.last;
    let entry = this.young.get(key);
    if (!entry) {
      entry = this.old.get(key) ?? this.look(key);
      if (this.young.size >= DECODED_MAX) this.forgetOld();
      this.young.add(entry);
    }
    this.last = entry;
    return entry;
  }

  private look(key: K): Entry<K, V> {
    const hash = hashKey(key);
    const held = this.open(this.shards().at(hash)).find(hash, key) >= 0;
    return { key, hash, value: held ? ENCODED : undefined, held, dirty: false };
  }

  private markDirty(entry: Entry<K, V>): void {
    this.writes++;
    if (entry.dirty) return;
    entry.dirty = true;
    this.dirty.push(entry);
  }

  private forgetOld(): void {
    this.fold(); // changes must not be lost with them
    this.old = this.young;
    this.young = new Recent();
  }

  /** Encodes the changes into the shards. */
  private fold(): void {
    for (const entry of this.dirty) {
      const { hash, key, value, held } = entry;
      const shard = this.shards().at(hash);
      const packed = this.open(shard);
      if (held) packed.set(hash, key, value);
      else packed.remove(hash, key);
      entry.dirty = false;
      this.markShard(shard);
    }
    if (this.dirty.length > 0) this.dirty = [];
  }

  private open(shard: Shard): PackedEntries {
    if (shard.opened) return shard.opened;
    return shard.open(this.version, (value, from) => {
      this.markShard(shard); // its values are stored in the new version
      return migrationFor(from, this.version, this.migrate)?.(value, from);
    });
  }

  private markShard(shard: Shard): void {
    if (shard.dirty) return;
    shard.dirty = true;
    this.dirtyShards.push(shard);
  }

  private shards(): ShardTree {
    if (this.tree) return this.tree;
    this.tree = new ShardTree(this.restored);
    this.restored = new Map();
    for (const shard of this.tree) this.keysHeld += shard.size;
    const old = this.oldBuckets;
    this.oldBuckets = [];
    for (const { bucket, bytes, version } of old) this.takeOldBucket(bucket, bytes, version);
    return this.tree;
  }

  /** Rewrites the entries of a bucket of the old format into shards. */
  private takeOldBucket(bucket: number, bytes: Uint8Array, version: number): void {
    const migrate = migrationFor(version, this.version, this.migrate);
    const [keys, values] = decode(tags.hashedMap, bytes) as OldBytes<K, V>;
    keys.forEach((key, i) => {
      const value = values ? values[i] : true;
      this.set(key, migrate ? migrate(value, version) : (value as V));
    });
    this.gone.push({ bucket, bytes: null });
  }
}

/** Of two keys of a map, which are never equal. */
function order(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}
