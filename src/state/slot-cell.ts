import type { BucketChange, Cell, CellSpec } from '../core/index.js';
import { decode, encode, tags } from './codec.js';
import { migrationFor } from './versions.js';

/** Values by number, which are changed in place. */
export interface SlotCell<T> extends Cell {
  get(slot: number): T | undefined;
  set(slot: number, value: T): void;
  /** Says that a value was changed in place. */
  touch(slot: number): void;
  delete(slot: number): void;
  readonly size: number;
  /** In the order of the numbers. */
  entries(): Iterable<readonly [slot: number, value: T]>;
}

/**
 * Declares a cell of some thousand values that are large, or changed often: each is a bucket of its own and stays decoded, so a change costs a
 * flag, and an epoch writes each changed value once.
 *
 * @example
 * const cells = { windows: slotCell<{ rows: number; sums: Float64Array }>({ version: 1 }) };
 *
 * Errors: `state` for a checkpoint that cannot be read. Memory: the values.
 */
export function slotCell<T>({ version = 1 }: { readonly version?: number } = {}): CellSpec<SlotCell<T>> {
  return { kind: 'slots', version, tags: [tags.value], open: () => new Slots<T>(version) };
}

interface Slot<T> {
  value: T;
  dirty: boolean;
}

class Slots<T> implements SlotCell<T> {
  private readonly slots = new Map<number, Slot<T>>();
  /** Changed or deleted since the last epoch. */
  private changed: number[] = [];
  private readonly stored = new Set<number>();

  constructor(private readonly version: number) {}

  get size(): number {
    return this.slots.size;
  }

  get(slot: number): T | undefined {
    return this.slots.get(slot)?.value;
  }

  set(slot: number, value: T): void {
    const known = this.slots.get(slot);
    if (known) known.value = value;
    else this.slots.set(slot, { value, dirty: false });
    this.touch(slot);
  }

  touch(slot: number): void {
    const known = this.slots.get(slot);
    if (known === undefined || known.dirty) return;
    known.dirty = true;
    this.changed.push(slot);
  }

  delete(slot: number): void {
    if (this.slots.delete(slot)) this.changed.push(slot);
  }

  *entries(): Iterable<readonly [slot: number, value: T]> {
    for (const slot of [...this.slots.keys()].sort((a, b) => a - b)) yield [slot, this.get(slot) as T];
  }

  spread(cellOf: (key: string | number) => Slots<T>): void {
    for (const [slot, value] of this.entries()) cellOf(slot).set(slot, value);
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.version, undefined);
    this.slots.set(bucket, { value: decode(tags.value, bytes) as T, dirty: false });
    this.stored.add(bucket);
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = [];
    for (const bucket of new Set(this.changed)) {
      const slot = this.slots.get(bucket);
      if (slot) {
        slot.dirty = false;
        this.stored.add(bucket);
        changes.push({ bucket, bytes: encode(tags.value, slot.value) });
      } else if (this.stored.delete(bucket)) changes.push({ bucket, bytes: null });
    }
    this.changed = [];
    return changes;
  }
}
