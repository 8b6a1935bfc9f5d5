import { MillraceError, messageOf } from '../core/index.js';
import type { Clock } from './clock.js';
import type { Task } from './task.js';

export interface SupervisorOptions {
  readonly clock: Clock;
  open(partition: number): Promise<Task>;
  onWarning(message: string): void;
  /** Whether who was fenced may ask the group if the task is still its own, or the run ends. */
  readonly inGroup: boolean;
}

const BACK_OFF_MS = 200;
const BACK_OFF_MAX_MS = 10_000;
/** How long a task that gets nowhere is opened anew again and again, before the run ends with the cause. */
const PATIENCE_MS = 10 * 60_000;

interface Watched {
  task: Task | undefined;
  /** Resolves when nothing of it runs any more; never rejects. */
  gone: Promise<void>;
  /** The task went to another process: whatever happens to it here from now on is of no account. */
  lost: boolean;
  ended: boolean;
}

/**
 * Keeps the tasks of one process running: opens them, restores those that fail for a reason outside themselves from
 * their checkpoints, lets go of those that move to another process, and stops all when one fails for good.
 */
export class Supervisor {
  private readonly watched = new Map<number, Watched>();
  /** Lost tasks until they have closed: one that comes back soon waits for that. */
  private readonly leaving = new Map<number, Promise<void>>();
  /** Every task that was ever opened here, in its latest form: for snapshots. */
  private readonly seen = new Map<number, Task>();
  private stopping = false;
  private failure: { readonly cause: unknown } | undefined;
  private idle: (() => void) | undefined;
  /** Resolves when all assigned tasks have ended, at the end of their inputs or because of `stop`. */
  readonly finished: Promise<void>;

  constructor(private readonly options: SupervisorOptions) {
    this.finished = new Promise<void>((resolve) => {
      this.idle = resolve;
    }).then(async () => {
      await Promise.all(this.leaving.values());
      if (this.failure) throw this.failure.cause;
    });
  }

  /** Tasks in the order of their partitions, ended ones included. */
  get tasks(): readonly Task[] {
    return [...this.seen].sort(([a], [b]) => a - b).map(([, task]) => task);
  }

  /** These are the tasks of this process now: new ones are opened, kept ones go on, others are let go. */
  assign(partitions: readonly number[]): void {
    if (this.stopping) return;
    for (const [partition, watched] of this.watched) {
      if (partitions.includes(partition)) continue;
      watched.lost = true;
      watched.task?.abandon();
      this.watched.delete(partition);
      this.seen.delete(partition);
      this.leaving.set(partition, watched.gone);
    }
    for (const partition of partitions) if (!this.watched.has(partition)) this.watch(partition);
    this.settle();
  }

  /** Lets every task drain and commit. */
  stop(): void {
    this.stopping = true;
    for (const { task } of this.watched.values()) task?.stop();
    this.settle();
  }

  /** Something outside the tasks, the group for example, failed for good. */
  fail(cause: unknown): void {
    this.failure ??= { cause };
    this.stop();
  }

  private watch(partition: number): void {
    const watched: Watched = { task: undefined, lost: false, ended: false, gone: Promise.resolve() };
    this.watched.set(partition, watched);
    const ended = () => {
      watched.ended = true;
      this.settle();
    };
    watched.gone = this.keepRunning(partition, watched).then(ended, (cause: unknown) => {
      // The last commit of a run that stops may come too late: another process does that work again.
      const taken = this.options.inGroup && this.stopping && isFenced(cause);
      if (!watched.lost && !taken) this.fail(cause);
      ended();
    });
  }

  private async keepRunning(partition: number, watched: Watched): Promise<void> {
    const { clock, onWarning, inGroup } = this.options;
    const earlier = this.leaving.get(partition);
    this.leaving.delete(partition);
    await earlier;
    let failingSinceMs = Number.POSITIVE_INFINITY;
    for (let failures = 0; !this.stopping && !watched.lost; ) {
      let epochBefore = 0;
      let task: Task | undefined;
      try {
        task = await this.options.open(partition);
        watched.task = task;
        if (!watched.lost) this.seen.set(partition, task);
        epochBefore = task.snapshot().epoch;
        if (watched.lost) task.abandon();
        if (this.stopping) task.stop();
        await task.run();
        await task.close();
        return;
      } catch (error) {
        await closeFailed(task, onWarning);
        // A task that got somewhere does not fail at the same place again and again.
        if (task && task.snapshot().epoch > epochBefore) {
          failures = 0;
          failingSinceMs = Number.POSITIVE_INFINITY;
        }
        failures += 1;
        failingSinceMs = Math.min(failingSinceMs, clock.now());
        // Somebody may have taken the task by mistake: opening it anew asks the group whose it is.
        const passing = isPassing(error) || (inGroup && isFenced(error));
        const hopeless = !passing || clock.now() - failingSinceMs > PATIENCE_MS;
        if (this.stopping || watched.lost || hopeless) throw error;
        onWarning(`task ${partition} failed and is restored from its checkpoint: ${messageOf(error)}`);
        await clock.sleep(Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (failures - 1)));
      }
    }
  }

  private settle(): void {
    const all = [...this.watched.values()];
    // Without tasks there is nothing to wait for only once the run is to stop: an assignment may still come.
    if (!all.every(({ ended }) => ended) || !(all.length > 0 || this.stopping)) return;
    this.stopping = true; // what a group assigns from now on is for others
    this.idle?.();
  }
}

/** Failures of the world outside, which may be over at the next try; everything else stops the run with its cause. */
const isPassing = (error: unknown): boolean =>
  error instanceof MillraceError && !error.lasting && passing.has(error.code);
const passing: ReadonlySet<string> = new Set(['source', 'sink', 'state']);

const isFenced = (error: unknown): boolean => error instanceof MillraceError && error.code === 'fenced';

async function closeFailed(task: Task | undefined, onWarning: (message: string) => void): Promise<void> {
  try {
    await task?.close();
  } catch (error) {
    onWarning(`closing a failed task: ${messageOf(error)}`);
  }
}
