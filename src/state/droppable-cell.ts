import type { BucketChange, Cell, CellSpec, EpochEnd } from '../core/index.js';

/** A cell whose content can be given up. */
export interface DroppableCell<C extends Cell = Cell> extends Cell {
  /** The cell itself, opened at the first access. After `drop` it is another one, which is empty. */
  readonly content: C;
  /** Whether it takes any memory. */
  readonly isOpen: boolean;
  /** Frees the memory of the content. Its buckets are deleted with the next changes. */
  drop(): void;
}

/**
 * Declares a cell whose content can be given up. That it was given up is not stored: it is then restored as a new one, which takes no
 * memory before its content is asked for.
 *
 * Memory: that of the content until it is dropped, and the numbers of its stored buckets.
 *
 * @example
 * const cells = { loser: droppable(float64Cell({ size: 1 << 18 })) };
 */
export const droppable = <C extends Cell>({ kind, version, tags, open }: CellSpec<C>): CellSpec<DroppableCell<C>> => ({
  kind,
  version,
  ...(tags && { tags }),
  open: () => new Droppable(open),
});

class Droppable<C extends Cell> implements DroppableCell<C> {
  private opened: C | undefined;
  private isDropped = false;
  /** What the checkpoint has of it. */
  private readonly stored = new Set<number>();

  constructor(private readonly open: () => C) {}

  get content(): C {
    this.opened ??= this.open();
    return this.opened;
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  get changedBytes(): number {
    return this.opened?.changedBytes ?? 0;
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    this.stored.add(bucket);
    this.content.restore(bucket, bytes, version);
  }

  drop(): void {
    this.opened = undefined;
    this.isDropped = true;
  }

  takeChanges(end?: EpochEnd): BucketChange[] {
    const changes = this.opened?.takeChanges(end) ?? [];
    const written = new Set(changes.map(({ bucket }) => bucket));
    const deleted = this.isDropped ? [...this.stored].filter((bucket) => !written.has(bucket)) : [];
    this.isDropped = false;
    for (const { bucket, bytes } of changes)
      if (bytes) this.stored.add(bucket);
      else this.stored.delete(bucket);
    for (const bucket of deleted) this.stored.delete(bucket);
    return [...deleted.map((bucket) => ({ bucket, bytes: null })), ...changes];
  }

  catchUp(): boolean {
    return this.opened?.catchUp?.() ?? false;
  }
}
