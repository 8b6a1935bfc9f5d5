import { setTimeout as sleep } from 'node:timers/promises';
import type { EpochPoint } from '../../runtime/index.js';

const POINTS: readonly EpochPoint[] = ['pushed', 'drained', 'prepared', 'stored', 'committed'];

export interface KillerOptions {
  readonly kills: number;
  /** Between two kills, on average. */
  readonly everyMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends the process of this place at once; false where none runs there. */
  kill(place: number): boolean;
  onKill(point: EpochPoint, kills: number): void;
}

/**
 * Kills one process after another, each just after it told that it passed a point of an epoch: while records are on
 * their way, before and after the checkpoint is stored. A message travels for a moment, so the place is never quite the same.
 */
export class Killer {
  /** Kills by the point after which they came. */
  readonly done: Partial<Record<EpochPoint, number>> = {};
  private kills = 0;
  private armed: { readonly point: EpochPoint; readonly fired: () => void } | undefined;

  constructor(private readonly options: KillerOptions) {}

  /** A process passed a point. */
  hear(place: number, point: EpochPoint): void {
    if (this.armed?.point !== point || !this.options.kill(place)) return;
    const { fired } = this.armed;
    this.armed = undefined;
    this.kills += 1;
    this.done[point] = (this.done[point] ?? 0) + 1;
    this.options.onKill(point, this.kills);
    fired();
  }

  /** Kills until it has killed often enough, or is told to stop. */
  async run(stopped: AbortSignal): Promise<void> {
    const { kills, everyMs, random } = this.options;
    while (this.kills < kills && !stopped.aborted) {
      await sleep(everyMs * (0.5 + random()), undefined, { signal: stopped }).catch(() => undefined); // told to stop
      if (stopped.aborted) return;
      const point = POINTS[Math.floor(random() * POINTS.length)] as EpochPoint;
      await new Promise<void>((resolve) => {
        this.armed = { point, fired: resolve };
        stopped.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
