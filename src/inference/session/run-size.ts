import { latencyCurve, measuredSizes, type Point } from '../scheduling/latency-curve.js';
import { gather, type RunRows } from './values.js';

/** How long each size is measured, and at least how often. */
const LONG_ENOUGH_MS = 5;
const RUNS_MIN = 2;
const SHORTEST_MS = 1e-3;

/**
 * What runs take, up to the size that is the fastest, a row: the last one. Larger is not always better: a run whose intermediate
 * results leave the cache of the processor takes longer a row.
 *
 * Sizes are powers of two and `rowsMax`, each with its fastest run: what disturbs the others is not the model's.
 */
export async function measureRuns(run: RunRows, rowsMax: number): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const rows of measuredSizes(rowsMax)) {
    const endMs = performance.now() + LONG_ENOUGH_MS;
    let ms = Number.POSITIVE_INFINITY;
    // Other rows each time: a processor learns the ways of a few rows through trees by heart, and is fast on those alone.
    const places = Math.floor(rowsMax / rows);
    for (let runs = 0; runs < RUNS_MIN || performance.now() < endMs; runs++) {
      const startedMs = performance.now();
      await run((runs % places) * rows, rows);
      ms = Math.min(ms, performance.now() - startedMs);
    }
    points.push({ rows, ms: Math.max(ms, SHORTEST_MS) });
  }
  const fastest = latencyCurve({ points, rowsMax }).bestRows();
  return points.filter(({ rows }) => rows <= fastest);
}

/** Runs of at most so many rows, one after another: so a batch may be larger on its way to the worker than the model likes it. */
export const inRunsOf =
  (rowsMax: number, outputSize: number, run: RunRows): RunRows =>
  (from, rows) =>
    rows <= rowsMax ? run(from, rows) : inParts(run, { from, rows, rowsMax, outputSize });

async function inParts(
  run: RunRows,
  {
    from,
    rows,
    rowsMax,
    outputSize,
  }: { readonly from: number; readonly rows: number; readonly rowsMax: number; readonly outputSize: number },
) {
  const answered = gather(rows, outputSize);
  for (let at = 0; at < rows; at += rowsMax) answered.write(at, await run(from + at, Math.min(rowsMax, rows - at)));
  return answered.values();
}
