import type { BucketChange, Cell, CellSpec } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import { migrationFor } from './versions.js';

/** Values by number, which are changed in place. */
export interface SlotCell<T> extends Cell {
  get(slot: number): T | undefined;
  /** A value to be changed in place now, before the next epoch. */
  change(slot: number): T | undefined;
  set(slot: number, value: T): void;
  delete(slot: number): void;
  readonly size: number;
  /** In the order of the numbers. */
  entries(): Iterable<readonly [slot: number, value: T]>;
}

/**
 * Declares a cell of some thousand values that are large, or changed often: each is a bucket of its own and stays decoded, so a change costs a
 * flag, and an epoch writes each changed value once. Numbers are handed out in their order, and most are deleted in it.
 *
 * @example
 * const cells = { windows: slotCell<{ rows: number; sums: Float64Array }>({ version: 1 }) };
 *
 * Errors: `state` for a checkpoint that cannot be read. Memory: the values, and 8 bytes for each number between the lowest and the highest.
 */
export function slotCell<T>({ version = 1 }: { readonly version?: number } = {}): CellSpec<SlotCell<T>> {
  return { kind: 'slots', version, tags: [tags.value], open: () => new Slots<T>(version) };
}

class Slots<T> implements SlotCell<T> {
  size = 0;
  /** By number, from `first` on: an array is read several times as fast as a map. */
  private values: (T | undefined)[] = [];
  /** Whether a value is in `changed` already; beside the values, so that the flags of all lie together. */
  private dirty: boolean[] = [];
  private first = 0;
  /** So many at the front were deleted. */
  private gone = 0;
  /** Changed or deleted since the last epoch. */
  private changed: number[] = [];
  private readonly stored = new Set<number>();

  constructor(private readonly version: number) {}

  get(slot: number): T | undefined {
    return this.values[slot - this.first];
  }

  change(slot: number): T | undefined {
    const at = slot - this.first;
    const value = this.values[at];
    if (value !== undefined && !this.dirty[at]) {
      this.dirty[at] = true;
      this.changed.push(slot);
    }
    return value;
  }

  set(slot: number, value: T): void {
    this.place(slot, value);
    this.change(slot);
  }

  delete(slot: number): void {
    const { values, dirty } = this;
    if (this.change(slot) === undefined) return;
    values[slot - this.first] = undefined;
    this.size--;
    while (this.gone < values.length && values[this.gone] === undefined) this.gone++;
    if (2 * this.gone < values.length) return;
    values.splice(0, this.gone);
    dirty.splice(0, this.gone);
    this.first += this.gone;
    this.gone = 0;
  }

  *entries(): Iterable<readonly [slot: number, value: T]> {
    const { first } = this;
    for (const [at, value] of [...this.values.entries()]) if (value !== undefined) yield [first + at, value];
  }

  spread(cellOf: (key: string | number) => Slots<T>): void {
    for (const [slot, value] of this.entries()) cellOf(slot).set(slot, value);
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    this.place(bucket, decode(tags.value, bytes) as T);
    this.stored.add(bucket);
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = [];
    for (const bucket of new Set(this.changed)) {
      const at = bucket - this.first;
      if (at >= 0) this.dirty[at] = false;
      const value = this.values[at];
      if (value !== undefined) {
        this.stored.add(bucket);
        changes.push({ bucket, bytes: encode(tags.value, value) });
      } else if (this.stored.delete(bucket)) changes.push({ bucket, bytes: null });
    }
    this.changed = [];
    return changes;
  }

  private place(slot: number, value: T): void {
    if (this.values.length === 0) this.first = slot;
    if (slot < this.first) {
      const before = this.first - slot;
      this.values = [...new Array<undefined>(before).fill(undefined), ...this.values];
      this.dirty = [...new Array<boolean>(before).fill(false), ...this.dirty];
      this.first = slot;
    }
    const at = slot - this.first;
    while (this.values.length <= at) {
      this.values.push(undefined);
      this.dirty.push(false);
    }
    if (this.values[at] === undefined) this.size++;
    this.values[at] = value;
    this.gone = Math.min(this.gone, at);
  }
}
