import type { BucketChange, Cell, CellSpec } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import { type Migrate, migrationFor } from './versions.js';

/** One value. The result of `get` may be changed in place if it is then passed to `set`. */
export interface ValueCell<T> extends Cell {
  get(): T;
  set(value: T): void;
}

/** The initial value of a cell, and how older encodings are read. */
export interface ValueCellOptions<T> {
  /** Version of the value's layout, 1 by default. */
  readonly version?: number;
  /** The value before the first `set`; each task gets its own copy. */
  readonly initial: T;
  readonly migrate?: Migrate<T>;
}

/**
 * Declares a cell with one value, which is written whole after a `set`.
 *
 * @example
 * const cells = { total: valueCell({ initial: { count: 0, sum: 0 } }) };
 *
 * Errors: `state` at the first `get` if the restored bytes cannot be read. Memory: the value.
 */
export function valueCell<T>(options: ValueCellOptions<T>): CellSpec<ValueCell<T>> {
  const version = options.version ?? 1;
  return {
    kind: 'value',
    version,
    tags: [tags.value],
    open: () => new OneValue(version, options.initial, options.migrate),
  };
}

class OneValue<T> implements ValueCell<T> {
  private value: T;
  private dirty = false;
  private restored: { readonly bytes: Uint8Array; readonly version: number } | undefined;

  constructor(
    private readonly version: number,
    initial: T,
    private readonly migrate: Migrate<T> | undefined,
  ) {
    this.value = typeof initial === 'object' ? structuredClone(initial) : initial;
  }

  get(): T {
    if (this.restored !== undefined) this.thaw();
    return this.value;
  }

  set(value: T): void {
    this.restored = undefined;
    this.value = value;
    this.dirty = true;
  }

  restore(_bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, this.migrate); // an error at start is better than at the first access
    this.restored = { bytes, version };
  }

  takeChanges(): BucketChange[] {
    if (!this.dirty) return [];
    this.dirty = false;
    return [{ bucket: 0, bytes: encode(tags.value, this.value) }];
  }

  private thaw(): void {
    const { bytes, version } = this.restored as NonNullable<typeof this.restored>;
    const migrate = migrationFor(version, this.version, this.migrate);
    const old = decode(tags.value, bytes);
    this.value = migrate ? migrate(old, version) : (old as T);
    this.dirty = migrate !== undefined;
    this.restored = undefined;
  }
}
