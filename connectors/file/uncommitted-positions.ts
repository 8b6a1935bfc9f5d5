/** A run of rows that were handed out together, and where the first of them lies. */
export interface Batch<P> {
  readonly first: number;
  readonly count: number;
  readonly place: P;
}

/**
 * Where rows lie that were handed out and may not be in a checkpoint yet. Each batch is kept as one place and a number of
 * rows to pass over behind it. Memory: one entry for each poll since the last checkpoint.
 */
export class UncommittedPositions<P extends { readonly skip: number }> {
  private batches: Batch<P>[] = [];

  add(batch: Batch<P>): void {
    this.batches.push(batch);
  }

  /** The place of the row with this number: of the batch that it belongs to, or behind the last one. Numbers must rise. */
  placeOf(offset: number): (P & { readonly isEnd: boolean }) | undefined {
    const later = this.batches.findIndex(({ first }) => first > offset);
    const index = (later < 0 ? this.batches.length : later) - 1;
    const batch = this.batches[index];
    if (batch === undefined) return undefined;
    this.batches = this.batches.slice(index);
    const skip = batch.place.skip + Math.min(batch.count, offset - batch.first);
    return { ...batch.place, skip, isEnd: offset >= batch.first + batch.count };
  }
}
