import type { BucketChange } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import { hashKey } from './hash.js';
import type { MapCell } from './map-contract.js';
import { type Migrate, migrationFor } from './versions.js';

/** Part of the stored format: another number would look for keys in the wrong bucket. */
const BUCKETS = 1024;

/** A bucket: its keys and, unless all are `true`, their values. */
type Bytes<K, V> = readonly [keys: readonly K[], values?: readonly V[]];

/** The map without bounds: entries in buckets by hash of their key, each a map of its own, decoded at first touch. */
export class HashedMap<K extends string | number, V> implements MapCell<K, V> {
  readonly evicted = 0;
  private readonly buckets: (Map<K, V> | undefined)[] = new Array(BUCKETS).fill(undefined);
  private readonly dirty = new Uint8Array(BUCKETS);
  private readonly frozen = new Map<number, { readonly bytes: Uint8Array; readonly version: number }>();

  constructor(
    private readonly version: number,
    private readonly migrate: Migrate<V> | undefined,
  ) {}

  get size(): number {
    let size = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) size += this.bucketAt(bucket)?.size ?? 0;
    return size;
  }

  get(key: K): V | undefined {
    return this.bucketAt(hashKey(key) % BUCKETS)?.get(key);
  }

  has(key: K): boolean {
    return this.bucketAt(hashKey(key) % BUCKETS)?.has(key) ?? false;
  }

  set(key: K, value: V): void {
    const bucket = hashKey(key) % BUCKETS;
    let entries = this.bucketAt(bucket);
    if (!entries) {
      entries = new Map();
      this.buckets[bucket] = entries;
    }
    entries.set(key, value);
    this.dirty[bucket] = 1;
  }

  delete(key: K): boolean {
    const bucket = hashKey(key) % BUCKETS;
    const deleted = this.bucketAt(bucket)?.delete(key) ?? false;
    if (deleted) this.dirty[bucket] = 1;
    return deleted;
  }

  *keys(): IterableIterator<K> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) yield* this.bucketAt(bucket)?.keys() ?? [];
  }

  expire(): number {
    return 0;
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // refuse at start, not at the first touch
    this.frozen.set(bucket, { bytes, version });
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = [];
    for (let bucket = this.dirty.indexOf(1); bucket >= 0; bucket = this.dirty.indexOf(1, bucket + 1)) {
      const entries = this.buckets[bucket] as Map<K, V>;
      changes.push({ bucket, bytes: entries.size === 0 ? null : encode(tags.hashedMap, bytesOf(entries)) });
      if (entries.size === 0) this.buckets[bucket] = undefined;
      this.dirty[bucket] = 0;
    }
    return changes;
  }

  private bucketAt(bucket: number): Map<K, V> | undefined {
    return this.frozen.size === 0 ? this.buckets[bucket] : this.thawed(bucket);
  }

  private thawed(bucket: number): Map<K, V> | undefined {
    const frozen = this.frozen.get(bucket);
    if (!frozen) return this.buckets[bucket];
    const { bytes, version } = frozen;
    const migrate = migrationFor(version, this.version, this.migrate);
    const [keys, values] = decode(tags.hashedMap, bytes) as Bytes<K, V>;
    const entries = new Map<K, V>();
    for (let i = 0; i < keys.length; i++) {
      const value = values ? values[i] : true;
      entries.set(keys[i] as K, migrate ? migrate(value, version) : (value as V));
    }
    this.buckets[bucket] = entries;
    if (migrate) this.dirty[bucket] = 1;
    this.frozen.delete(bucket);
    return entries;
  }
}

function bytesOf<K, V>(entries: ReadonlyMap<K, V>): Bytes<K, V> {
  const keys = [...entries.keys()];
  const values = [...entries.values()];
  return values.every((value) => value === true) ? [keys] : [keys, values];
}
