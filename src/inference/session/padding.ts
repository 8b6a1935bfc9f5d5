import { type TensorData, tensorArrays } from '../../core/index.js';
import { measuredSizes } from '../scheduling/latency-curve.js';
import { partOf, type Region } from '../scheduling/layout.js';
import type { RunRows } from './runner.js';

/** Runs in other sizes: rows are filled up to `sizeOf` them with copies of the last one, and what is said of these is dropped. */
export const padded =
  (run: RunRows, sizeOf: (rows: number) => number): RunRows =>
  async (layout, views, from, rows) => {
    const size = sizeOf(rows);
    if (size === rows) return await run(layout, views, from, rows);
    const filled = layout.regions.map((region, i) => filledUp(views[i] as TensorData, region, { from, rows, size }));
    const { scores, discrete } = await run(layout, filled, 0, size);
    return {
      scores: scores.slice(0, (scores.length / size) * rows),
      ...(discrete && { discrete: discrete.slice(0, rows) }),
    };
  };

/**
 * The sizes that are measured up to `rowsMax` rows, which were run before. Some devices compile kernels, or search for the fastest, for
 * each size that they have not seen, which may take seconds.
 */
export const measuredSize = (rows: number, rowsMax: number): number =>
  measuredSizes(rowsMax).find((each) => each >= rows) ?? rows;

function filledUp(
  view: TensorData,
  region: Region,
  { from, rows, size }: { readonly from: number; readonly rows: number; readonly size: number },
): TensorData {
  const own = partOf(view, region, from, rows);
  const { type, rowSize } = region;
  const last = (rows - 1) * rowSize;
  if (Array.isArray(own)) {
    const copies = Array.from({ length: (size - rows) * rowSize }, (_, i) => own[last + (i % rowSize)] as string);
    return [...own, ...copies];
  }
  const filled = new tensorArrays[type as keyof typeof tensorArrays](size * rowSize);
  filled.set(own as never);
  for (let row = rows; row < size; row++) filled.copyWithin(row * rowSize, last, rows * rowSize);
  return filled;
}
