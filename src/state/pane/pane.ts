/** The entries of one pane. Write to `numbers` and `values` and call `touch` for each slot that you wrote. */
export interface Pane<K extends string | number> {
  readonly startMs: number;
  /** The number of entries; slots count from 0 in the order in which their keys first came. */
  readonly size: number;
  /** The slot of a key, or -1. */
  find(key: K): number;
  /** Adds a missing key and returns its slot, filled with zeros and undefined. */
  add(key: K): number;
  keyAt(slot: number): K;
  /** Those of a slot begin at `slot * numbers`; `add` may replace this array. */
  readonly numbers: Float64Array;
  /** Those of a slot begin at `slot * values`. */
  readonly values: unknown[];
  touch(slot: number): void;
}

const SLOTS_LEAST = 16;

/** A pane for its cell: the changed slots, and the location of each slot's newest version in the log. */
export class OnePane<K extends string | number> implements Pane<K> {
  size = 0;
  numbers: Float64Array;
  readonly values: unknown[] = [];
  /** The ids of the chunks with the newest versions; 0 for none. */
  chunks: Float64Array;
  /** Slots that changed since they were last written, in the order of their first change. */
  changed: number[] = [];
  gone = false;
  private readonly keys: K[] = [];
  private readonly slots = new Map<K, number>();
  private dirty: Uint8Array;

  constructor(
    readonly startMs: number,
    private readonly numbersEach: number,
    private readonly valuesEach: number,
  ) {
    this.numbers = new Float64Array(SLOTS_LEAST * numbersEach);
    this.chunks = new Float64Array(SLOTS_LEAST);
    this.dirty = new Uint8Array(SLOTS_LEAST);
  }

  find(key: K): number {
    return this.slots.get(key) ?? -1;
  }

  add(key: K): number {
    const slot = this.size;
    this.place(slot, key);
    this.slots.set(key, slot);
    return slot;
  }

  keyAt(slot: number): K {
    return this.keys[slot] as K;
  }

  touch(slot: number): void {
    if (this.dirty[slot] === 1) return;
    this.dirty[slot] = 1;
    this.changed.push(slot);
  }

  isDirty(slot: number): boolean {
    return this.dirty[slot] === 1;
  }

  /** Called after all changes were written. */
  clean(): void {
    for (const slot of this.changed) this.dirty[slot] = 0;
    this.changed = [];
  }

  /** Restores an entry to its slot; `index` makes it findable. */
  place(slot: number, key: K): void {
    if (slot >= this.dirty.length) this.grow(slot);
    this.keys[slot] = key;
    if (slot >= this.size) this.size = slot + 1;
    for (let i = this.values.length; i < this.size * this.valuesEach; i++) this.values.push(undefined);
  }

  /** Makes restored entries findable; `false` if some are missing. */
  index(): boolean {
    for (let slot = 0; slot < this.size; slot++) {
      const key = this.keys[slot];
      if (key === undefined) return false;
      this.slots.set(key, slot);
    }
    return true;
  }

  private grow(slot: number): void {
    let length = this.dirty.length;
    while (length <= slot) length *= 2;
    const numbers = new Float64Array(length * this.numbersEach);
    numbers.set(this.numbers);
    this.numbers = numbers;
    const chunks = new Float64Array(length);
    chunks.set(this.chunks);
    this.chunks = chunks;
    const dirty = new Uint8Array(length);
    dirty.set(this.dirty);
    this.dirty = dirty;
  }
}
