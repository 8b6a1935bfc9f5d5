import type { StateChange } from '../core/index.js';

/**
 * Keeps the newest bytes of each bucket, like a real ledger. It copies the bytes and then overwrites the originals, so a cell that
 * still uses them reads garbage.
 */
export class FakeLedger {
  private readonly buckets = new Map<string, StateChange>();

  store(changes: readonly StateChange[]): void {
    for (const change of changes) {
      const key = `${change.cell}/${change.bucket}`;
      if (change.bytes === null) this.buckets.delete(key);
      else {
        this.buckets.set(key, { ...change, bytes: change.bytes.slice() });
        change.bytes.fill(0xff);
      }
    }
  }

  /** Copies, newest first: cells must not rely on an order. */
  state(): StateChange[] {
    return [...this.buckets.values()].reverse().map((change) => ({ ...change, bytes: change.bytes?.slice() ?? null }));
  }

  get bytes(): number {
    let sum = 0;
    for (const { bytes } of this.buckets.values()) sum += bytes?.length ?? 0;
    return sum;
  }
}
