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

interface Slot<T> {
  value: T;
  dirty: boolean;
}

class Slots<T> implements SlotCell<T> {
  size = 0;
  /** By number, from `first` on: an array is read several times as fast as a map. */
  private slots: (Slot<T> | undefined)[] = [];
  private first = 0;
  /** So many at the front were deleted. */
  private gone = 0;
  /** Changed or deleted since the last epoch. */
  private changed: number[] = [];
  private readonly stored = new Set<number>();

  constructor(private readonly version: number) {}

  get(slot: number): T | undefined {
    return this.slots[slot - this.first]?.value;
  }

  change(slot: number): T | undefined {
    const known = this.slots[slot - this.first];
    if (known === undefined) return undefined;
    if (!known.dirty) {
      known.dirty = true;
      this.changed.push(slot);
    }
    return known.value;
  }

  set(slot: number, value: T): void {
    this.place(slot, value);
    this.change(slot);
  }

  delete(slot: number): void {
    const { slots, first } = this;
    if (slots[slot - first] === undefined) return;
    slots[slot - first] = undefined;
    this.size--;
    this.changed.push(slot);
    while (this.gone < slots.length && slots[this.gone] === undefined) this.gone++;
    if (2 * this.gone < slots.length) return;
    slots.splice(0, this.gone);
    this.first += this.gone;
    this.gone = 0;
  }

  *entries(): Iterable<readonly [slot: number, value: T]> {
    const { first } = this;
    for (const [at, slot] of [...this.slots.entries()]) if (slot !== undefined) yield [first + at, slot.value];
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
      const slot = this.slots[bucket - this.first];
      if (slot) {
        slot.dirty = false;
        this.stored.add(bucket);
        changes.push({ bucket, bytes: encode(tags.value, slot.value) });
      } else if (this.stored.delete(bucket)) changes.push({ bucket, bytes: null });
    }
    this.changed = [];
    return changes;
  }

  private place(slot: number, value: T): void {
    const known = this.slots[slot - this.first];
    if (known) {
      known.value = value;
      return;
    }
    if (this.slots.length === 0) this.first = slot;
    if (slot < this.first) {
      this.slots = [...new Array<undefined>(this.first - slot).fill(undefined), ...this.slots];
      this.first = slot;
    }
    const at = slot - this.first;
    while (this.slots.length <= at) this.slots.push(undefined);
    this.slots[at] = { value, dirty: false };
    this.gone = Math.min(this.gone, at);
    this.size++;
  }
}
