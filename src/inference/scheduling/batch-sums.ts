import type { BatchSums } from '../../core/index.js';

type Sums = { -readonly [K in keyof BatchSums]: BatchSums[K] };

/** Counts batches by their size. Memory: an entry for each power of two up to the largest batch. */
export function batchSums() {
  const sums: Sums[] = [];
  return {
    add(rows: number, waitMs: number, runMs: number): void {
      const power = 32 - Math.clz32(rows - 1);
      sums[power] ??= { rowsMax: 2 ** power, batches: 0, rows: 0, waitMs: 0, runMs: 0 };
      const own = sums[power];
      own.batches++;
      own.rows += rows;
      own.waitMs += waitMs;
      own.runMs += runMs;
    },
    /** Smaller ones first. */
    all: (): readonly BatchSums[] => Object.values(sums).map((each) => ({ ...each })),
  };
}
