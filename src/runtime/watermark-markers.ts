import { BEFORE_ALL_MS, type SinkWriter, type WatermarkMarker, type WatermarkMarkers } from '../core/index.js';

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

/**
 * What a task says to the sub-topologies that read what it writes: at each epoch, behind its records, how far it has come; and that
 * it has nothing to read, where one of them does not want to wait for that. Such a mark lies in the log, so whoever reads
 * it goes by it in every replay.
 */
export class WatermarkEmitter {
  private readonly idleTimeoutMs: number;
  private idle = false;
  private told = false;
  private lastRoundMs: number;

  constructor(
    private readonly task: Pick<WatermarkMarker, 'task' | 'tasks'>,
    private readonly writers: readonly SinkWriter[],
    idleTimeout: readonly (number | undefined)[],
    nowMs: number,
  ) {
    this.idleTimeoutMs = Math.min(...idleTimeout.map((each) => each ?? Number.POSITIVE_INFINITY));
    this.lastRoundMs = nowMs;
  }

  /** Records came in. */
  onRound(nowMs: number): void {
    this.lastRoundMs = nowMs;
    this.idle = false;
    this.told = false;
  }

  /** Whether it is time to say that nothing comes in. */
  isQuiet(nowMs: number): boolean {
    this.idle ||= nowMs - this.lastRoundMs >= this.idleTimeoutMs;
    return this.isDue;
  }

  /** It has become idle, and nobody was told yet. */
  get isDue(): boolean {
    return this.idle && !this.told;
  }

  /** Writes a mark to every partition of the next subtopologies. */
  mark(watermarkMs: number): void {
    const { task, idle } = this;
    for (const writer of this.writers) writer.mark?.({ ...task, watermarkMs, idle });
    this.told = idle;
  }
}
