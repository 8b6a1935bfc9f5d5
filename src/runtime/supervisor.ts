import { MillraceError, messageOf, placedMessageOf } from '../core/index.js';
import { backOffMs } from '../util/retry.js';
import type { Clock } from './clock.js';
import type { Outages } from './outages.js';
import type { PendingOperations, Reason } from './pending-operations.js';
import type { Task } from './task.js';
import { Opening } from './task-options.js';
import { Stall, Watchdog } from './watchdog.js';

export interface SupervisorOptions {
  readonly clock: Clock;
  open(partition: number, opening: Opening): Promise<Task>;
  onWarning(message: string, about?: TaskAtEpoch): void;
  /** Whether a fenced task may ask the group if it still belongs to this process; otherwise the run ends. */
  readonly inGroup: boolean;
  /** No task is opened while a sink is down. */
  readonly outages: Outages;
  /** The stall limit: how long an operation may go without progress before its task is abandoned and restored. */
  readonly stallMaxMs: number;
  /** Uniform in [0, 1): spreads the restarts of tasks that failed together. */
  readonly random: () => number;
}

const BACK_OFF = { waitMs: 200, waitMaxMs: 10_000 };
/** How long a task that makes no progress is reopened, outages excluded, before the run ends with the cause. */
const FAILING_MAX_MS = 10 * 60_000;
/** The most abandoned tasks that never ended, each with its memory, before the run ends. */
const ABANDONED_MAX = 16;

/** A task and its newest epoch; 0 if it has none yet. */
export interface TaskAtEpoch {
  readonly task: number;
  readonly epoch: number;
}

/** A restore of a task after a failure or a stall. */
export interface Restart {
  readonly atMs: number;
  readonly cause: string;
  /** The id of the sink or lookup that failed, or what else the error names. */
  readonly where: string | undefined;
}

/** Of each task. */
const RESTARTS_MAX = 5;

/** What a supervisor did for a task since the start. */
export interface TaskHealth {
  readonly partition: number;
  /** Restores from its checkpoint after a failure or a stall. */
  readonly restarts: number;
  readonly stalls: number;
  /** The newest of them, at most five. */
  readonly lastRestarts: readonly Restart[];
  /** An input without records while others have records that wait for it. */
  readonly waitsFor: string | undefined;
}

/** Why a task ended, and whether it stored a checkpoint before. */
interface End {
  readonly cause: unknown;
  readonly progressed: boolean;
}

interface Watched {
  task: Task | undefined;
  /** Resolves when it has stopped; never rejects. */
  stopped: Promise<void>;
  /** The task moved to another process: later errors here are ignored. */
  lost: boolean;
  ended: boolean;
  /** It is to be opened anew once it has drained and committed. */
  reopens: boolean;
  /** Ends every wait of the task once it is lost or the run stops. */
  readonly released: AbortController;
  restarts: number;
  stalls: number;
  lastRestarts: readonly Restart[];
  waitsFor: string | undefined;
}

/**
 * Runs the tasks of one process: opens them, restores those that fail for an external reason from their checkpoints, releases those
 * that move to another process, and stops all when one fails permanently.
 */
export class Supervisor {
  private readonly watched = new Map<number, Watched>();
  /** Lost tasks until they have closed; a task that returns soon waits for that. */
  private readonly leaving = new Map<number, Promise<void>>();
  /** The latest instance of every task that was opened here, for snapshots. */
  private readonly seen = new Map<number, Task>();
  /** What is left of hung tasks that were abandoned, until it ends by itself, if ever. */
  private readonly abandoned = new Set<Promise<unknown>>();
  private stopping = false;
  private failure: { readonly cause: unknown } | undefined;
  private idle: (() => void) | undefined;
  /** Resolves when all assigned tasks have ended, at the end of their inputs or after `stop`. */
  readonly finished: Promise<void>;

  constructor(private readonly options: SupervisorOptions) {
    this.finished = new Promise<void>((resolve) => {
      this.idle = resolve;
    }).then(async () => {
      await Promise.all(this.leaving.values());
      this.options.outages.close();
      if (this.failure) throw this.failure.cause;
    });
  }

  /** Tasks in the order of their partitions, including ended ones. */
  get tasks(): readonly Task[] {
    return [...this.seen].sort(([a], [b]) => a - b).map(([, task]) => task);
  }

  get health(): readonly TaskHealth[] {
    return [...this.watched].map(([partition, { restarts, stalls, lastRestarts, waitsFor }]) => ({
      partition,
      restarts,
      stalls,
      lastRestarts,
      waitsFor,
    }));
  }

  /** Sets the tasks of this process: new ones are opened, kept ones continue, others are released. */
  assign(partitions: readonly number[]): void {
    if (this.stopping) return;
    for (const [partition, watched] of this.watched) {
      if (partitions.includes(partition)) continue;
      watched.lost = true;
      watched.task?.abandon();
      watched.released.abort();
      this.watched.delete(partition);
      this.seen.delete(partition);
      this.leaving.set(partition, watched.stopped);
    }
    for (const partition of partitions) if (!this.watched.has(partition)) this.watch(partition);
    this.settle();
  }

  /** Lets every task drain, commit and be opened anew, with the partitions that its inputs have then. */
  reopen(): void {
    for (const watched of this.watched.values()) {
      watched.reopens = true;
      watched.task?.stop();
    }
  }

  /** Lets every task drain and commit. */
  stop(): void {
    this.stopping = true;
    for (const { task, released } of this.watched.values()) {
      task?.stop();
      released.abort();
    }
    this.settle();
  }

  /** Something outside the tasks, such as the group, failed permanently. */
  fail(cause: unknown): void {
    this.failure ??= { cause };
    this.stop();
  }

  private watch(partition: number): void {
    const watched: Watched = {
      task: undefined,
      lost: false,
      ended: false,
      reopens: false,
      stopped: Promise.resolve(),
      released: new AbortController(),
      restarts: 0,
      stalls: 0,
      lastRestarts: [],
      waitsFor: undefined,
    };
    this.watched.set(partition, watched);
    const ended = () => {
      watched.ended = true;
      this.settle();
    };
    watched.stopped = this.keepRunning(partition, watched).then(ended, (cause: unknown) => {
      // The last commit of a stopping run may come too late; another process repeats that work.
      const taken = this.options.inGroup && this.stopping && isFenced(cause);
      if (!watched.lost && !taken) this.fail(cause);
      ended();
    });
  }

  private async keepRunning(partition: number, watched: Watched): Promise<void> {
    const { clock, onWarning, inGroup, outages, random } = this.options;
    const { signal } = watched.released;
    const earlier = this.leaving.get(partition);
    this.leaving.delete(partition);
    await earlier;
    let failingSinceMs = Number.POSITIVE_INFINITY;
    for (let failures = 0; ; ) {
      const waitingSinceMs = clock.now();
      // A sink that does not answer may take any time; one that answers and refuses may not.
      if (await outages.over(signal)) failingSinceMs += clock.now() - waitingSinceMs;
      if (this.stopping || watched.lost) return;
      watched.reopens = false;
      const end = await this.live(partition, watched);
      const opensAgain = watched.reopens || watched.task?.completes;
      if (!end && opensAgain && !this.stopping && !watched.lost) continue;
      if (!end) return;
      const { cause, progressed } = end;
      // A task that made progress is not failing repeatedly.
      failures = progressed ? 1 : failures + 1;
      failingSinceMs = progressed ? clock.now() : Math.min(failingSinceMs, clock.now());
      // Another process may have taken the task by mistake; reopening asks the group for the owner.
      const passing = isPassing(cause) || cause instanceof Stall || (inGroup && isFenced(cause));
      const hopeless = !passing || clock.now() - failingSinceMs > FAILING_MAX_MS || this.abandoned.size > ABANDONED_MAX;
      if (this.stopping || watched.lost || hopeless) throw cause;
      watched.restarts += 1;
      const where = outages.sinkOf(cause) ?? (cause instanceof MillraceError ? cause.where : undefined);
      const restart = { atMs: clock.now(), cause: placedMessageOf(cause), where };
      watched.lastRestarts = [...watched.lastRestarts, restart].slice(-RESTARTS_MAX);
      const about = { task: partition, epoch: watched.task?.snapshot().epoch ?? 0 };
      onWarning(`task ${partition} failed and is restored from its checkpoint: ${restart.cause}`, about);
      await clock.sleep(backOffMs(failures, BACK_OFF, random), signal);
    }
  }

  /** Opens a task and runs it to its end; `undefined` for a good end. */
  private async live(partition: number, watched: Watched): Promise<End | undefined> {
    let epochBefore = 0;
    let task: Task | undefined;
    const opening = new Opening(this.options.clock);
    const watchdog = this.watchdogOf(partition, watched, opening.waits);
    try {
      task = await this.opened(partition, watched, opening, watchdog);
      watched.task = task;
      if (!watched.lost) this.seen.set(partition, task);
      epochBefore = task.snapshot().epoch;
      if (watched.lost) task.abandon();
      if (this.stopping || watched.reopens) task.stop();
      await watchdog.over(task.run());
      await watchdog.over(closed(task));
      return undefined;
    } catch (cause) {
      if (cause instanceof Stall) watched.stalls += 1;
      if (task) await this.closeFailed(task, watchdog, cause);
      return { cause, progressed: task !== undefined && task.snapshot().epoch > epochBefore };
    } finally {
      watchdog.stop();
      watched.waitsFor = undefined;
    }
  }

  /** The open task. An opening that hangs is given up; once nobody needs the task, also one that only takes long. */
  private async opened(partition: number, { released }: Watched, opening: Opening, watchdog: Watchdog): Promise<Task> {
    const open = this.options.open(partition, opening);
    const needless = () => void opening.waits.track(CLOSE, open);
    released.signal.addEventListener('abort', needless);
    try {
      return await watchdog.over(open);
    } catch (cause) {
      if (!(cause instanceof Stall)) throw cause;
      const stall = cause.reason === CLOSE ? new Stall(opening.waitsFor ?? CLOSE, this.options.stallMaxMs) : cause;
      this.abandon(stall, Promise.allSettled([open, opening.giveUp()]));
      throw stall;
    } finally {
      released.signal.removeEventListener('abort', needless);
    }
  }

  private watchdogOf(partition: number, watched: Watched, waits: PendingOperations): Watchdog {
    const { clock, stallMaxMs, onWarning } = this.options;
    return new Watchdog({
      clock,
      waits,
      stallMaxMs,
      onQuiet: (input) => {
        watched.waitsFor = input;
        if (input !== undefined)
          onWarning(
            `task ${partition} has records and waits for input '${input}', which has had none for ` +
              `${stallMaxMs / 1_000} s: an input that may be idle needs an idleTimeout`,
            { task: partition, epoch: watched.task?.snapshot().epoch ?? 0 },
          );
      },
    });
  }

  /** Closes what is left of a failed task. If the close hangs, the task is abandoned, and its successor fences it. */
  private async closeFailed(task: Task, watchdog: Watchdog, cause: unknown): Promise<void> {
    const { onWarning } = this.options;
    let stall = cause instanceof Stall ? cause : undefined;
    if (!stall) {
      try {
        await watchdog.over(closed(task));
      } catch (error) {
        const about = { task: task.id.partition, epoch: task.snapshot().epoch };
        onWarning(`closing a failed task: ${messageOf(error)}`, about);
        if (error instanceof Stall) stall = error;
      }
    }
    if (stall) this.abandon(stall, task.forceClose());
  }

  private abandon(stall: Stall, rest: Promise<unknown>): void {
    const { kind, id } = stall.reason;
    if (kind === 'sink') this.options.outages.report(id, stall);
    this.abandoned.add(rest);
    void rest.finally(() => this.abandoned.delete(rest));
  }

  private settle(): void {
    const all = [...this.watched.values()];
    // Without tasks it is done only if the run is stopping, because an assignment may still come.
    if (!all.every(({ ended }) => ended) || !(all.length > 0 || this.stopping)) return;
    this.stopping = true; // later assignments are for other processes
    this.idle?.();
  }
}

/** External failures, which a retry may resolve; any other error stops the run. */
export const isPassing = (error: unknown): boolean =>
  error instanceof MillraceError && !error.permanent && passing.has(error.code);
// For `schema`: a registry that cannot be reached; a refusal, and a value that does not fit, are permanent.
const passing: ReadonlySet<string> = new Set(['source', 'sink', 'lookup', 'state', 'schema', 'inference']);

const isFenced = (error: unknown): boolean => error instanceof MillraceError && error.code === 'fenced';

const closed = (task: Task): Promise<void> => task.waits.track(CLOSE, task.close());

const CLOSE: Reason = { kind: 'close', id: 'task' };
