import type { EpochPoint } from '../runtime/index.js';
import { pause } from '../util/pause.js';

const POINTS: readonly EpochPoint[] = ['pushed', 'drained', 'prepared', 'stored', 'committed'];

export interface KillerOptions {
  readonly kills: number;
  /** From one kill to the next, at most about: input that lasts as often so long as there are kills lasts for all of them. */
  readonly everyMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends the process of this index at once; false if it does not run. */
  kill(index: number): boolean;
  onKill(point: EpochPoint, kills: number): void;
}

/**
 * Kills one process after another, each just after it reported a point of an epoch: while records are in flight, before and after
 * the checkpoint is stored. The report takes a moment, so the exact time of the kill varies. At least one checkpoint is stored
 * between two kills, so that the run makes progress.
 */
export class FaultInjector {
  /** Kills by the point after which they came. */
  readonly done: Partial<Record<EpochPoint, number>> = {};
  private kills = 0;
  private armed: { readonly point: EpochPoint; readonly fired: () => void } | undefined;
  private onStored: (() => void) | undefined;

  constructor(private readonly options: KillerOptions) {}

  /** A process passed a point. */
  hear(index: number, point: EpochPoint): void {
    if (point === 'stored') this.onStored?.();
    if (this.armed?.point !== point || !this.options.kill(index)) return;
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
      await until(stopped, (resolve) => {
        this.onStored = resolve;
      });
      // Waits for a checkpoint and then for the next point; other reports are ignored.
      await pause(0.6 * everyMs * random(), stopped);
      const point = POINTS[Math.floor(random() * POINTS.length)] as EpochPoint;
      await until(stopped, (resolve) => {
        this.armed = { point, fired: resolve };
      });
    }
  }
}

/** Resolves with what is waited for, or when nobody waits any more. */
const until = (stopped: AbortSignal, begin: (resolve: () => void) => void): Promise<void> =>
  new Promise((resolve) => {
    if (stopped.aborted) return resolve();
    const done = () => {
      stopped.removeEventListener('abort', done); // or there would be two more of them with each kill
      resolve();
    };
    stopped.addEventListener('abort', done);
    begin(done);
  });
