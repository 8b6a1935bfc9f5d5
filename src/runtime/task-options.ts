import { MillraceError, type Profile, type ServiceRegistry, type TopologyVersion } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { type Clock, measuringClock, type Pace } from './clock.js';
import type { RunEnd } from './end-of-run.js';
import type { ByteBudget } from './in-flight.js';
import type { SampledLatency } from './measures/sampled-latency.js';
import { TaskMeter } from './measures/task-meter.js';
import { PendingOperations, type Reason } from './pending-operations.js';
import type { Tracing } from './tracing/span.js';

/** The points of an epoch at which tests may stop or kill a process, in order. */
export type EpochPoint = 'pushed' | 'drained' | 'prepared' | 'stored' | 'committed';

/** What a task is given by the run. */
export interface TaskOptions extends RunEnd {
  readonly topology: Topology;
  /** The number of tasks of the topology. */
  readonly tasks: number;
  readonly profile: Profile;
  readonly services: ServiceRegistry;
  readonly clock: Clock;
  readonly version: TopologyVersion;
  readonly epochIntervalMs: number;
  /** The delay of the first epoch, so that tasks drain one after another. */
  readonly staggerMs: number;
  readonly inFlightMax: number;
  readonly roundMax: number;
  /** Shared by all tasks of a run. */
  readonly budget: ByteBudget;
  /** Shared by all tasks of a run. */
  readonly pace: Pace;
  /** By step and sink; shared by all tasks of a run, so that what is counted outlasts them. */
  readonly latencies: Map<string, SampledLatency>;
  /** Whether the run is paused. */
  isPaused(): boolean;
  readonly tracing: Tracing | undefined;
  onPoint(point: EpochPoint, task: number, epoch: number): void;
  /** Called with a sink's failure, before the task fails because of it. */
  onSinkFailure(sink: string, error: unknown): void;
}

interface Part {
  close(): Promise<void>;
}

/**
 * A task that is being opened, part by part. One that hangs is given up: what it has opened closes at once, and it opens nothing
 * more when it wakes, since a part that is opened late could fence that of the successor.
 */
export class Opening {
  /** The operations in flight, of the task as well when it is open. */
  readonly waits: PendingOperations;
  private readonly parts: Part[] = [];
  private isGivenUp = false;
  private reason: Reason | undefined;

  constructor(clock: Clock) {
    this.waits = new PendingOperations(new TaskMeter(measuringClock(clock)));
  }

  /** Opens a part that must be closed if the task cannot be opened. */
  async part<T extends Part>(open: () => T | Promise<T>): Promise<T> {
    this.mustGoOn();
    const part = await open();
    this.parts.push(part);
    this.mustGoOn();
    return part;
  }

  /** What the opening waits for, if it is known. It may take any time as long as the task is needed, as a large restore does. */
  get waitsFor(): Reason | undefined {
    return this.reason;
  }

  /** Names what the opening waits for meanwhile. */
  async during<T>(reason: Reason, work: () => T | Promise<T>): Promise<T> {
    this.reason = reason;
    try {
      return await work();
    } finally {
      this.reason = undefined;
    }
  }

  giveUp(): Promise<unknown> {
    this.isGivenUp = true;
    return this.close();
  }

  /** Closes what was opened, the newest part first. */
  close(): Promise<unknown> {
    const parts = this.parts.splice(0).reverse();
    return Promise.allSettled(parts.map((part) => part.close()));
  }

  private mustGoOn(): void {
    if (this.isGivenUp) throw new MillraceError('internal', 'the task was given up while it was opened');
  }
}
