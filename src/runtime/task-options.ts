import type { Profile, ServiceRegistry, TopologyVersion } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import type { Clock, Pace } from './clock.js';
import type { RunEnd } from './end-of-run.js';
import type { ByteBudget } from './in-flight.js';
import type { SampledLatency } from './measures/sampled-latency.js';
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
