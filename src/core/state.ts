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
}

/** The declaration of a cell: inert data until a task opens it. */
export interface CellSpec<C extends Cell = Cell> {
  readonly kind: string;
  /** Version of the encoding; a restore of an older one goes through the cell's migration or is refused. */
  readonly version: number;
  /** What its buckets may begin with, where that tells it from other kinds of cells without opening them. */
  readonly tags?: readonly number[];
  open(): C;
}

export type CellSpecs = Readonly<Record<string, CellSpec>>;
export type OpenCells<S extends CellSpecs> = { readonly [K in keyof S]: S[K] extends CellSpec<infer C> ? C : never };

/** A change as the ledger stores it. */
export interface StateChange extends BucketChange {
  readonly step: string;
  readonly cell: string;
  readonly version: number;
}
