/** A change of a bucket: its new bytes, or `null` if it was deleted. */
export interface BucketChange {
  readonly bucket: number;
  readonly bytes: Uint8Array | null;
}

/** What a cell may know of an epoch's end to decide what it writes. It must never decide what its state is. */
export interface EpochEnd {
  /** The time that the step has worked since its task was opened, in milliseconds. */
  readonly busyMs: number;
  /** The run of the task ends in order: what is written may be read by a topology with other settings. */
  readonly isLast: boolean;
}

/**
 * A piece of a step's state. The working copy is in memory. Its buckets are the unit of the changelog: a change writes only the
 * buckets that it touched.
 */
export interface Cell {
  /** Restores a bucket from a checkpoint; it may be decoded at its first access. */
  restore(bucket: number, bytes: Uint8Array, version: number): void;
  /** The buckets changed since the last call. The caller owns the bytes. */
  takeChanges(end?: EpochEnd): BucketChange[];
  /** How many bytes `takeChanges` would return now, roughly, if the cell can tell without making them. */
  readonly changedBytes?: number;
  /** Takes the clock that its work is measured by, if it measures any. It decides what is written, never what the state is. */
  measureBy?(nowMs: () => number): void;
  /** Part of what is written is in another form, or over, and the last epoch of a run replaces it. */
  readonly holdsBack?: boolean;
  /** Does a part of the work that a restore left, at most an epoch's; returns whether there is more. */
  catchUp?(): boolean;
  /** For a cell with keys: copies each entry to the cell that `cellOf` returns for its key. */
  spread?(cellOf: (key: string | number) => Cell): void;
}

/**
 * How a cell is divided when a savepoint is restored with another number of tasks. A cell without it cannot be rescaled.
 *
 * - `by-key`: each entry goes to the task that the partitioner chooses for its key. `input` is the input that the entries come
 *   from; if that is a global table, every task gets all of them.
 * - `merged`: every task gets the merge of the values of all tasks. Throws if they cannot be merged.
 * - `derived`: the value follows from the other cells of the step.
 * - `empty`: it can be rescaled only while it is empty.
 */
export type Rescale =
  | { readonly kind: 'by-key'; readonly input?: number | undefined }
  | { readonly kind: 'merged'; merge(values: readonly unknown[]): unknown }
  | { readonly kind: 'derived'; derive(cells: Readonly<Record<string, Cell>>): unknown }
  | { readonly kind: 'empty' };

/** Versions of state are counted from 1, or are digests of the settings of the step that its layout follows from. */
export const isDigest = (version: number): boolean => version > 0xffff;

/** What to do with state that other settings of its step, such as a window or features, have made. */
export const OTHER_SETTINGS = 'give the step a new id to start from empty state, or run with the settings that made it';

/** The declaration of a cell: inert data until a task opens it. */
export interface CellSpec<C extends Cell = Cell> {
  readonly kind: string;
  /** Version of the encoding. A restore of an older one is migrated by the cell, or refused. */
  readonly version: number;
  /** The possible first bytes of its buckets, if they identify this kind of cell. */
  readonly tags?: readonly number[];
  readonly rescale?: Rescale | undefined;
  open(): C;
}

/** The cells of a step, by name. */
export type CellSpecs = Readonly<Record<string, CellSpec>>;
/** The open cells of a step, as its logic sees them. */
export type OpenCells<S extends CellSpecs> = { readonly [K in keyof S]: S[K] extends CellSpec<infer C> ? C : never };

/** A change as the ledger stores it. */
export interface StateChange extends BucketChange {
  readonly step: string;
  readonly cell: string;
  readonly version: number;
}
