import type { StandbyStatus } from '../../../src/core/profile.js';
import { pause } from '../../../src/util/pause.js';
import { backOffMs } from '../../../src/util/retry.js';
import type { ChangelogFollower } from './read-changelog.js';

export interface StandbyOptions {
  open(task: number): Promise<ChangelogFollower>;
  /** Called if following failed and starts again; this only costs time if the task is needed meanwhile. */
  onWarning(message: string): void;
}

const BACK_OFF = { waitMs: 500, waitMaxMs: 30_000 };

interface Standby {
  /** Resolves when it has stopped; never rejects. */
  gone: Promise<void>;
  follower: ChangelogFollower | undefined;
  readonly stop: AbortController;
  ready: boolean;
}

/**
 * The standbys of this process: it reads the changelogs of tasks while their owners write them, committed records only, and keeps
 * the newest bytes of every bucket.
 *
 * Memory: the stored state of these tasks, and two fetched ranges each.
 */
export class Standbys {
  private readonly standbys = new Map<number, Standby>();

  constructor(private readonly options: StandbyOptions) {}

  /** Follows these tasks from now on. Standbys of tasks that this process now owns are kept until `take`. */
  assign(standby: readonly number[], owned: readonly number[]): void {
    for (const [task, each] of this.standbys) {
      if (standby.includes(task) || owned.includes(task)) continue;
      each.stop.abort();
      this.standbys.delete(task);
      void each.gone.then(() => each.follower?.close());
    }
    for (const task of standby) if (!this.standbys.has(task)) this.standbys.set(task, this.begin(task));
  }

  /** Returns a task's changelog as far as it was read; the caller closes it. */
  async take(task: number): Promise<ChangelogFollower | undefined> {
    const standby = this.standbys.get(task);
    if (!standby) return undefined;
    this.standbys.delete(task);
    standby.stop.abort();
    await standby.gone;
    return standby.follower;
  }

  /** The tasks that are followed. */
  get tasks(): number[] {
    return [...this.standbys.keys()];
  }

  /** The tasks that could be taken over with little left to read. */
  get ready(): number[] {
    return [...this.standbys].filter(([, { ready }]) => ready).map(([task]) => task);
  }

  status(): StandbyStatus[] {
    return [...this.standbys].map(([partition, { follower, ready }]) => ({
      partition,
      ready,
      recordsBehind: follower?.recordsBehind ?? 0,
      bytes: follower?.bytes ?? 0,
    }));
  }

  async close(): Promise<void> {
    const all = [...this.standbys.values()];
    this.assign([], []);
    await Promise.all(all.map(({ gone }) => gone));
  }

  private begin(task: number): Standby {
    const standby: Standby = {
      gone: Promise.resolve(),
      follower: undefined,
      stop: new AbortController(),
      ready: false,
    };
    standby.gone = this.follow(task, standby);
    return standby;
  }

  private async follow(task: number, standby: Standby): Promise<void> {
    const { signal } = standby.stop;
    for (let failures = 0; !signal.aborted; ) {
      try {
        standby.follower ??= await this.options.open(task);
        const isAll = await standby.follower.step();
        failures = 0;
        if (isAll) standby.ready = true;
      } catch (error) {
        const { follower } = standby;
        standby.follower = undefined;
        standby.ready = false;
        await follower?.close();
        if (signal.aborted) return;
        failures++;
        const why = error instanceof Error ? error.message : String(error);
        this.options.onWarning(`the standby of task ${task} restarts: ${why}`);
        const waitMs = backOffMs(failures, BACK_OFF, Math.random);
        await pause(waitMs, signal); // `stop` ends the wait
      }
    }
  }
}
