import type { Float64Cell } from '../../state/index.js';

/**
 * Ends a window of event time if this time lies outside of it. The cell has the beginning of the window, the number of rows in it,
 * and any sums after them. If there were rows, `finish` makes of the sums what is returned; then all but the beginning is 0 again.
 * Windows are aligned to multiples of `windowMs` since 1970; times never fall.
 *
 * @example turnWindow(cell, hours(1), nowMs, (endMs, rows) => ({ endMs, mean: (cell.values[2] as number) / rows }));
 */
export function turnWindow<T>(
  cell: Float64Cell,
  windowMs: number,
  nowMs: number,
  finish: (endMs: number, rows: number) => T,
): T | undefined {
  const { values } = cell;
  const startMs = values[0] as number;
  if (nowMs >= startMs && nowMs < startMs + windowMs) return undefined;
  const currentMs = Math.floor(nowMs / windowMs) * windowMs;
  if (currentMs === startMs) return undefined;
  const rows = values[1] as number;
  const finished = rows === 0 ? undefined : finish(startMs + windowMs, rows);
  for (let at = 1; at < values.length; at++) {
    if (values[at] === 0) continue;
    values[at] = 0;
    cell.touch(at);
  }
  values[0] = currentMs;
  cell.touch(0);
  return finished;
}
