/** One change of a cell's state: a bucket's new bytes, or `null` where the bucket is gone. */
export interface BucketChange {
  readonly bucket: number;
  readonly bytes: Uint8Array | null;
}

/**
 * A piece of a step's state. The working copy lives in memory; its buckets are the unit of the changelog: a change
 * writes the buckets it touched and nothing else.
 */
export interface Cell {
  /** Takes over a bucket from a checkpoint; it may be decoded as late as its first touch. */
  restore(bucket: number, bytes: Uint8Array, version: number): void;
  /** The buckets changed since the last call; the caller owns the bytes. */
  takeChanges(): BucketChange[];
  /** Of a cell with keys: gives each entry to the cell of the same kind that is named for its key. */
  spread?(cellOf: (key: string | number) => Cell): void;
}

/**
 * What becomes of a cell where a savepoint goes into another number of tasks; a cell that does not say so cannot go.
 *
 * - `by-key`: each entry goes to the task that the partitioner gives its key to. `input` is the one that the entries come from:
 *   where that is a global table, every task has all of them.
 * - `merged`: every task gets the value that comes of those of all tasks. Throws where nothing can.
 * - `derived`: the value follows from the other cells of the step.
 * - `empty`: it can go where there is nothing in it.
 */
export type Rescale =
  | { readonly kind: 'by-key'; readonly input?: number | undefined }
  | { readonly kind: 'merged'; merge(values: readonly unknown[]): unknown }
  | { readonly kind: 'derived'; derive(cells: Readonly<Record<string, Cell>>): unknown }
  | { readonly kind: 'empty' };

/** The declaration of a cell: inert data until a task opens it. */
export interface CellSpec<C extends Cell = Cell> {
  readonly kind: string;
  /** Version of the encoding; a restore of an older one goes through the cell's migration or is refused. */
  readonly version: number;
  /** What its buckets may begin with, where that tells it from other kinds of cells without opening them. */
  readonly tags?: readonly number[];
  readonly rescale?: Rescale | undefined;
  open(): C;
}

/** The cells of a step, by name. */
export type CellSpecs = Readonly<Record<string, CellSpec>>;
/** The cells of a step as its logic sees them: open. */
export type OpenCells<S extends CellSpecs> = { readonly [K in keyof S]: S[K] extends CellSpec<infer C> ? C : never };

/** A change as the ledger stores it. */
export interface StateChange extends BucketChange {
  readonly step: string;
  readonly cell: string;
  readonly version: number;
}
