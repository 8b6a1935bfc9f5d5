import { BEFORE_ALL_MS, type WatermarkMarker, type WatermarkMarkers } from '../core/index.js';

/** What is known after one more mark. The newest of a task counts, and what it says of the number of tasks. */
export function withMark(
  marks: WatermarkMarkers | undefined,
  { task, tasks, watermarkMs, idle }: WatermarkMarker,
): WatermarkMarkers {
  return { tasks, watermarksMs: { ...marks?.watermarksMs, [task]: idle ? null : watermarkMs } };
}

/**
 * The event time before which no task will write any more: the lowest watermark of those that are not idle. Before all
 * time while one was not heard of at all, and where all are idle: then time stands.
 */
export function lowestOf({ tasks, watermarksMs }: WatermarkMarkers): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let task = 0; task < tasks; task++) {
    const watermarkMs = watermarksMs[task];
    if (watermarkMs === undefined) return BEFORE_ALL_MS;
    if (watermarkMs !== null && watermarkMs < lowest) lowest = watermarkMs;
  }
  return lowest === Number.POSITIVE_INFINITY ? BEFORE_ALL_MS : lowest;
}
