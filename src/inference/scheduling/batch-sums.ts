import type { BatchSums } from '../../core/index.js';

/** Counts batches by their size. Memory: an entry for each power of two up to the largest batch. */
export function batchSums() {
  const sums: BatchSums[] = [];
  return {
    add(rows: number, waitMs: number, runMs: number): void {
      const power = 32 - Math.clz32(rows - 1);
      const old = sums[power] ?? { rowsMax: 2 ** power, batches: 0, rows: 0, waitMs: 0, runMs: 0 };
      sums[power] = {
        rowsMax: old.rowsMax,
        batches: old.batches + 1,
        rows: old.rows + rows,
        waitMs: old.waitMs + waitMs,
        runMs: old.runMs + runMs,
      };
    },
    /** Smaller ones first. */
    all: (): readonly BatchSums[] => Object.values(sums),
  };
}
