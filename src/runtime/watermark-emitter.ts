import type { SinkWriter, WatermarkMarker } from '../core/index.js';

/**
 * What a task says to the subtopologies that read what it writes: at each epoch, behind its records, how far it has come; and that
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
