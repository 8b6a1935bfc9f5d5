import type { TaskId } from '../../../src/core/checkpoint.js';
import type { Cluster } from '../connection/cluster.js';
import { ChangelogFollower, type RestoredChangelog } from './read-changelog.js';
import type { Standbys } from './standby.js';

/** How a task's state was restored. */
export interface Restored {
  readonly task: TaskId;
  /** Records read after the task was assigned. */
  readonly records: number;
  readonly fromStandby: boolean;
  readonly durationMs: number;
}

/** Changelogs read from their start at the same time. More would need more memory and not be faster, since one thread reads all. */
const COLD_MAX = 4;

/** Restores the state of tasks that this process takes over; of a task with a local standby it reads only the rest. */
export class Restorer {
  private readonly standbys = new Map<string, Standbys>();
  private reading = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly onRestored: (restored: Restored) => void,
  ) {}

  /** Sets the standbys of a topology. */
  use(topology: string, standbys: Standbys): void {
    this.standbys.set(topology, standbys);
  }

  /** The committed state of a task whose earlier owner is fenced. */
  async read(task: TaskId, changelog: string): Promise<RestoredChangelog> {
    const startedMs = performance.now();
    // Up to the end of the log, not the last stable offset: with the earlier owner fenced, no transaction is open before the end.
    const end = await this.cluster.endOffset(changelog, task.partition, 'any');
    const standby = await this.standbys.get(task.topology)?.take(task.partition);
    const readBefore = standby?.records ?? 0;
    const follower = standby ?? (await ChangelogFollower.open(this.cluster, changelog, task.partition));
    const isCold = !standby && follower.offset < end;
    if (isCold) await this.enter();
    try {
      await follower.readTo(end);
      const records = follower.records - readBefore;
      const durationMs = performance.now() - startedMs;
      this.onRestored({ task, records, fromStandby: standby !== undefined, durationMs });
      return follower.restored();
    } finally {
      if (isCold) this.leave();
      await follower.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.standbys.values()].map((standbys) => standbys.close()));
  }

  private async enter(): Promise<void> {
    if (this.reading >= COLD_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.reading++;
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.reading--;
  }
}
