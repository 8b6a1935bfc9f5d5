/** A batch of returned rows, and the position of the first. */
export interface Batch<P> {
  readonly first: number;
  readonly count: number;
  readonly position: P;
}

/**
 * The positions of returned rows that may not be in a checkpoint yet. A batch is one position and a number of rows to skip. Memory:
 * one entry for each poll since the last checkpoint.
 */
export class UncommittedPositions<P extends { readonly skip: number }> {
  private batches: Batch<P>[] = [];

  add(batch: Batch<P>): void {
    this.batches.push(batch);
  }

  /** The position of the row with this number: in its batch, or after the last one. Numbers must increase. */
  positionOf(offset: number): (P & { readonly isEnd: boolean }) | undefined {
    const later = this.batches.findIndex(({ first }) => first > offset);
    const index = (later < 0 ? this.batches.length : later) - 1;
    const batch = this.batches[index];
    if (batch === undefined) return undefined;
    this.batches = this.batches.slice(index);
    const skip = batch.position.skip + Math.min(batch.count, offset - batch.first);
    return { ...batch.position, skip, isEnd: offset >= batch.first + batch.count };
  }
}
