import type { TaskId } from '../../../src/core/checkpoint.js';
import type { Cluster } from '../connection/cluster.js';
import { ChangelogFollower, type RestoredChangelog } from './read-changelog.js';
import type { Standbys } from './standby.js';

/** How a task's state came into this process. */
export interface Restored {
  readonly task: TaskId;
  /** Records read for it after it was assigned. */
  readonly records: number;
  readonly fromStandby: boolean;
  readonly durationMs: number;
}

/** Changelogs read from their starts at the same time: more would cost memory and bring nothing, one thread reads all. */
const COLD_MAX = 4;

/** Reads the state of tasks that this process takes over: from a standby only what it has not read yet. */
export class Restorer {
  private readonly standbys = new Map<string, Standbys>();
  private reading = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly onRestored: (restored: Restored) => void,
  ) {}

  /** The standbys of a topology, by its name. */
  use(topology: string, standbys: Standbys): void {
    this.standbys.set(topology, standbys);
  }

  /** What a task whose earlier owner is fenced has committed. */
  async read(task: TaskId, changelog: string): Promise<RestoredChangelog> {
    const startedMs = performance.now();
    // Up to the very end and not to the last stable offset: with the earlier owner fenced nothing is open before it.
    const end = await this.cluster.endOffset(changelog, task.partition, 'any');
    const standby = await this.standbys.get(task.topology)?.take(task.partition);
    const readBefore = standby?.records ?? 0;
    if (!standby) await this.enter();
    try {
      const follower = standby ?? (await ChangelogFollower.open(this.cluster, changelog, task.partition));
      try {
        await follower.readTo(end);
        const records = follower.records - readBefore;
        const durationMs = performance.now() - startedMs;
        this.onRestored({ task, records, fromStandby: standby !== undefined, durationMs });
        return follower.restored();
      } finally {
        await follower.close();
      }
    } finally {
      if (!standby) this.leave();
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
