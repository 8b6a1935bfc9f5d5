import type { StateChange } from '../../core/index.js';

type Stored = Pick<StateChange, 'step' | 'cell' | 'bucket' | 'bytes'>;

/**
 * How many bytes of state each step has stored: encoded, as the last checkpoint has them.
 *
 * Memory: one number for each bucket of a cell.
 */
export class StateSizes {
  private readonly buckets = new Map<string, number>();
  private readonly steps = new Map<string, number>();

  /** Notes what was restored, or is stored; returns its bytes. */
  note(changes: readonly Stored[]): number {
    let sum = 0;
    for (const { step, cell, bucket, bytes } of changes) {
      const key = `${step}/${cell}/${bucket}`;
      const size = bytes?.byteLength ?? 0;
      this.steps.set(step, (this.steps.get(step) ?? 0) + size - (this.buckets.get(key) ?? 0));
      if (bytes === null) this.buckets.delete(key);
      else this.buckets.set(key, size);
      sum += size;
    }
    return sum;
  }

  byStep(): ReadonlyMap<string, number> {
    return new Map(this.steps);
  }
}
