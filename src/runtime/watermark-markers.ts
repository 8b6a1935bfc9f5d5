import {
  BEFORE_ALL_MS,
  INTERNAL,
  type InternalSinkOptions,
  type SinkWriter,
  type WatermarkMarker,
  type WatermarkMarkers,
} from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { Silence } from './clock.js';

/** Adds a marker. The newest of a task counts, also for the number of tasks. */
export function withMarker(
  markers: WatermarkMarkers | undefined,
  { task, tasks, watermarkMs, idle }: WatermarkMarker,
): WatermarkMarkers {
  return { tasks, watermarksMs: { ...markers?.watermarksMs, [task]: idle ? null : watermarkMs } };
}

/**
 * The event time before which no task writes any more: the lowest watermark of the tasks that are not idle. `BEFORE_ALL_MS` if a
 * task has not written a marker yet, or if all are idle.
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
 * Writes a task's progress for the sub-topologies that read its output: at each epoch, after its records, the watermark; and that
 * it has no input, if a reader does not want to wait for it. The marker is in the log, so every replay uses it in the same way.
 */
export class WatermarkEmitter {
  private readonly silence: Silence;
  private idle = false;
  private told = false;

  constructor(
    private readonly task: Pick<WatermarkMarker, 'task' | 'tasks'>,
    private readonly writers: readonly SinkWriter[],
    idleTimeout: readonly (number | undefined)[],
    nowMs: number,
  ) {
    this.silence = new Silence(Math.min(...idleTimeout.map((each) => each ?? Number.POSITIVE_INFINITY)), nowMs);
  }

  /** Records came in. */
  onRound(nowMs: number): void {
    this.silence.end(nowMs);
    this.idle = false;
    this.told = false;
  }

  /** Whether the idle timeout has passed without input; asked each time that there is none. */
  isQuiet(nowMs: number): boolean {
    this.silence.note(nowMs);
    this.idle ||= this.silence.isLong;
    return this.isDue;
  }

  /** It has become idle, and no marker says so yet. */
  get isDue(): boolean {
    return this.idle && !this.told;
  }

  /** Writes a marker to every partition of the next sub-topologies. */
  writeMarkers(watermarkMs: number): void {
    const { task, idle } = this;
    for (const writer of this.writers) writer.writeMarker?.({ ...task, watermarkMs, idle });
    this.told = idle;
  }
}

/** That of a task, for the sinks between its sub-topology and the next ones. */
export function emitterFor(
  { sinks }: Pick<Topology, 'sinks'>,
  task: Pick<WatermarkMarker, 'task' | 'tasks'>,
  writers: ReadonlyMap<string, SinkWriter>,
  nowMs: number,
): WatermarkEmitter {
  const between = sinks.filter(({ sink }) => sink.connector === INTERNAL);
  return new WatermarkEmitter(
    task,
    between.map(({ id }) => writers.get(id) as SinkWriter),
    between.map(({ sink }) => (sink.options as InternalSinkOptions).idleTimeout),
    nowMs,
  );
}
