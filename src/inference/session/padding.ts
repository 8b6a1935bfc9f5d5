import { type TensorData, tensorArrays } from '../../core/index.js';
import { measuredSizes } from '../scheduling/latency-curve.js';
import type { Region } from '../scheduling/layout.js';
import type { RunRows } from './runner.js';

/**
 * Runs in sizes that were run before: rows between two sizes are filled up with copies of the last one, and what is said of these is
 * dropped. Some devices compile kernels, or search for the fastest, for each size that they have not seen, which may take seconds.
 *
 * The sizes are those that are measured up to `rowsMax` rows.
 */
export const padded =
  (run: RunRows, rowsMax: () => number): RunRows =>
  async (layout, views, from, rows) => {
    const size = measuredSizes(rowsMax()).find((each) => each >= rows) ?? rows;
    if (size === rows) return await run(layout, views, from, rows);
    const filled = layout.regions.map((region, i) => filledUp(views[i] as TensorData, region, { from, rows, size }));
    const { scores, discrete } = await run(layout, filled, 0, size);
    return {
      scores: scores.slice(0, (scores.length / size) * rows),
      ...(discrete && { discrete: discrete.slice(0, rows) }),
    };
  };

function filledUp(
  view: TensorData,
  { type, rowSize }: Region,
  { from, rows, size }: { readonly from: number; readonly rows: number; readonly size: number },
): TensorData {
  if (Array.isArray(view) || type === 'string') {
    const last = (rows - 1) * rowSize;
    return Array.from({ length: size * rowSize }, (_, i) => {
      const at = i < rows * rowSize ? i : last + (i % rowSize);
      return (view as string[])[from * rowSize + at] as string;
    });
  }
  const filled = new tensorArrays[type](size * rowSize);
  filled.set(view.subarray(from * rowSize, (from + rows) * rowSize) as never);
  for (let row = rows; row < size; row++) filled.copyWithin(row * rowSize, (rows - 1) * rowSize, rows * rowSize);
  return filled;
}
