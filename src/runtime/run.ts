import type {
  Duration,
  GroupMember,
  InferenceService,
  MetricRow,
  Profile,
  ProvidedService,
  SinkDriver,
  StandbyStatus,
  TopologyVersion,
} from '../core/index.js';
import {
  clockService,
  inferenceService,
  lookupService,
  MillraceError,
  type ModelReport,
  messageOf,
  millis,
  partitionOf,
  provide,
  serviceRegistry,
  sinkDriver,
} from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { DurationHistogram } from '../util/duration-histogram.js';
import { getOrInsert } from '../util/maps.js';
import { type Clock, type Pace, systemClock } from './clock.js';
import type { ByteBudget } from './in-flight.js';
import { watchPartitions } from './layout.js';
import { Lookups } from './lookups/service.js';
import type { Measurement } from './measures/newest-measures.js';
import type { SampledLatency } from './measures/sampled-latency.js';
import type { TaskSnapshot } from './measures/task-snapshot.js';
import { type Outage, Outages } from './outages.js';
import { sinksOf } from './sinks.js';
import type { QueryResult } from './state-queries.js';
import { Supervisor, type TaskAtEpoch, type TaskHealth } from './supervisor.js';
import { Task } from './task.js';
import type { EpochPoint, Opening } from './task-options.js';
import type { Tracing } from './tracing/span.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly inference: InferenceService;
  /** Services that steps use, besides inference and lookups. */
  readonly services?: readonly ProvidedService[] | undefined;
  /** Run only this sub-topology, by its name or the id of its first input; all by default. */
  readonly subtopology?: string | undefined;
  /** End at the current end of the logs instead of waiting for more. */
  readonly bounded?: boolean;
  /** With `bounded`: the end of the inputs is the end of time, so open windows close and timers fire. */
  readonly final?: boolean;
  /**
   * Run although sources, stateful steps or versions of state differ from the checkpoint: any difference, or only that of the
   * topology with this hash, which `millrace plan` prints. Removed sources and steps keep their positions and state.
   */
  readonly acceptPlan?: boolean | string | undefined;
  /** The interval of epochs: how often a task drains and commits; 500 ms by default. */
  readonly epochInterval?: Duration | undefined;
  /** The most records of a task on their way to the sinks; 20,000 by default. */
  readonly inFlightMax?: number | undefined;
  /**
   * The approximate bytes of records, undecoded and decoded, of all tasks together on their way to the sinks; 256 MiB by default.
   * Each task has an equal part. One record of each input always passes, however large it is.
   */
  readonly inFlightBytesMax?: number | undefined;
  /** Records per round; 1,000 by default. */
  readonly roundMax?: number | undefined;
  /** The most records per second, over all tasks; no limit by default. */
  readonly recordsPerSecondMax?: number | undefined;
  /**
   * The stall limit: how long an operation of a task (a poll, a write, a commit, a row to infer) may go without progress before the
   * task is treated as hung and restored from its checkpoint; 60 s by default.
   */
  readonly stallMax?: Duration | undefined;
  /** The address for state queries of this process, which the group passes to others. */
  readonly address?: string | undefined;
  /** Whether this process is paused too if it gets tasks of a group that is paused; only for one that can be told to resume. */
  readonly followsPause?: boolean;
  /** Traces of records and epochs; none by default. */
  readonly tracing?: Tracing | undefined;
  readonly clock?: Clock;
  /** Uniform in [0, 1), only for the jitter of pauses; `Math.random` by default. */
  readonly random?: () => number;
  /** Called with problems that were resolved, such as the restart of a task, and the task that it is about, if it is one. */
  onWarning?(message: string, about?: TaskAtEpoch): void;
  /** Called while the start waits for a sink that is down, with what there is of the run: its snapshot names the sink. */
  onStartWaits?(run: StartingRun): void;
  /** Called with the id of this process in the group of a sub-topology, each time that it changes. */
  onJoined?(memberId: string, subtopology: string): void;
  /** Called at the named points of every epoch; for logs and tests. */
  onPoint?(point: EpochPoint, task: number, subtopology: string, epoch: number): void;
}

/** The state of a run at one moment. */
export interface RunSnapshot {
  readonly tasks: readonly TaskSnapshot[];
  /** Between `pause` and `resume`. */
  readonly isPaused: boolean;
  /** Cumulative, over all tasks; part of the checkpoints. */
  readonly counters: readonly { readonly step: string; readonly name: string; readonly value: number }[];
  /** The newest measurement of each step, task and name, over all slices. */
  readonly measures: readonly MetricRow[];
  /** The newest measurements by slice and model version too, of a bounded number of them. */
  readonly slices: readonly Measurement[];
  /** Sinks that refuse writes, and stores that do not answer lookups; nothing is read meanwhile. */
  readonly outages: readonly Outage[];
  /** What was done for each task of this process since the start. */
  readonly health: readonly (TaskHealth & { readonly subtopology: string })[];
  /** Tasks of other processes that this one could take over. */
  readonly standbys: readonly (StandbyStatus & { readonly subtopology: string })[];
  /** The time that servers have delayed this process because of their quotas, in milliseconds. */
  readonly throttledMs: number;
  /** The ONNX models that are loaded, and what became of their rows since the start. */
  readonly models: readonly ModelReport[];
  /** Spans of traces that a collector has taken, and those that were dropped. */
  readonly spans: ReturnType<Tracing['counts']>;
  /** Of all sinks together. */
  readonly latency: DurationHistogram;
  /** By step and sink: how long ago the source had received its records when it was done with them, since the start (see `SampledLatency`). */
  readonly latencies: ReadonlyMap<string, DurationHistogram>;
  /** By step, over all tasks, since the start. */
  readonly busyMs: ReadonlyMap<string, number>;
}

/** A task that does not run in this process, and the address of the process that runs it, if it is known. */
export interface TaskElsewhere {
  readonly subtopology: string;
  readonly partition: number;
  readonly address: string | undefined;
}

/** A running topology. */
export interface Running {
  /** Resolves when every task has ended and committed; rejects with the cause of a failure. */
  readonly finished: Promise<void>;
  /** Drains, commits and closes all tasks; resolves afterwards. */
  stop(): Promise<void>;
  /**
   * Lets the tasks of this process read nothing more: each drains and commits, and is then at rest (`snapshot().tasks`). Epochs and state
   * queries go on, and the process stays in its group. Processing-time ticks wait. Tasks that come from other processes are paused too.
   * A process that starts is paused by its group (`followsPause`), not by what it was before.
   */
  pause(): void;
  /** Lets the tasks read again. An input counts as idle from this moment at the earliest. */
  resume(): void;
  snapshot(): RunSnapshot;
  /**
   * The state of a key in a step, as of the next checkpoint. The task is that of `partition`, by default the partition of records
   * with this key.
   *
   * @throws MillraceError `config` for a step that does not support queries, or a partition that does not exist.
   */
  query(step: string, key: string, partition?: number): Promise<QueryResult>;
  /** The tasks of the group that do not run in this process. */
  elsewhere(): readonly TaskElsewhere[];
}

/** A run that may have no tasks yet. Its `stop` ends the start too, which then fails with why it waited. */
export type StartingRun = Omit<Running, 'finished'>;

export const STALL_MAX_MS = 60_000;

/** Whether a run is paused, and what the others of its group say of that. */
export type Pausing = Required<Pick<GroupMember, 'isPaused' | 'onPaused'>>;

/** A running sub-topology. */
export interface RunningSubtopology extends Pick<RunSnapshot, 'outages' | 'health' | 'standbys'> {
  readonly topology: Topology;
  readonly finished: Promise<void>;
  stop(): void;
  readonly tasks: readonly Task[];
  readonly latencies: ReadonlyMap<string, SampledLatency>;
  readonly ask: Running['query'];
  readonly elsewhere: readonly TaskElsewhere[];
}

/**
 * Runs a topology without repartitions: one task for each partition of its inputs. All tasks run in this process, or those that the
 * profile's group assigns to it.
 */
export async function runSubtopology(
  topology: Topology,
  partitions: number,
  pace: Pace,
  version: TopologyVersion,
  budget: ByteBudget,
  pausing: Pausing,
  options: RunOptions,
): Promise<RunningSubtopology> {
  const { profile, inference, clock = systemClock, random = Math.random, epochInterval = millis(500) } = options;
  const onWarning = (message: string, about?: TaskAtEpoch) => options.onWarning?.(message, about);
  const drivers = new Map<string, SinkDriver>();
  for (const { id, sink } of sinksOf(topology)) drivers.set(id, await sinkDriver(profile, sink, id));
  const ask = (id: string) => lookups.ping(id) ?? drivers.get(id)?.ping?.();
  const outages = new Outages({ clock, random, onWarning, ping: ask });
  const lookups = new Lookups({ profile, clock, random, onFailure: (step, error) => outages.report(step, error) });
  const services = serviceRegistry([
    provide(clockService, { nowMs: () => clock.now() }),
    provide(inferenceService, inference),
    provide(lookupService, lookups),
    ...(options.services ?? []),
  ]);
  const latencies = new Map<string, SampledLatency>();
  const inFlightMax = Math.min(options.inFlightMax ?? 20_000, ...topology.steps.map(recordsOnTheWayMax));
  const open = (partition: number, opening: Opening): Promise<Task> =>
    Task.open(
      { topology: topology.name, partition },
      {
        topology,
        tasks: partitions,
        profile,
        services,
        clock,
        bounded: options.bounded ?? false,
        final: options.final ?? false,
        version,
        epochIntervalMs: epochInterval,
        staggerMs: (epochInterval * partition) / partitions,
        inFlightMax,
        roundMax: Math.min(options.roundMax ?? 1_000, inFlightMax),
        pace,
        latencies,
        budget,
        isPaused: pausing.isPaused,
        tracing: options.tracing,
        onPoint: (point, task, epoch) => {
          if (point === 'committed') outages.worked();
          options.onPoint?.(point, task, topology.name, epoch);
        },
        onSinkFailure: (sink, error) => outages.report(sink, error),
      },
      opening,
    );
  const supervisor = new Supervisor({
    clock,
    open,
    onWarning,
    inGroup: profile.join !== undefined,
    outages,
    stallMaxMs: options.stallMax ?? STALL_MAX_MS,
    random,
  });
  const membership = await profile.join?.({
    topology: topology.name,
    sources: topology.sources.flatMap(({ source }) => (source.global ? [] : [source])),
    tasks: partitions,
    version,
    address: options.address,
    ...pausing,
    onAssigned: (assigned) => supervisor.assign(assigned),
    onJoined: (memberId) => options.onJoined?.(memberId, topology.name),
    onFailed: (cause) => supervisor.fail(cause),
  });
  const unwatch = options.bounded
    ? undefined
    : watchPartitions({
        topology,
        tasks: partitions,
        profile,
        clock,
        onWarning,
        onGlobal: () => supervisor.reopen(),
        onRefused: (cause) => supervisor.fail(cause),
      });
  if (!membership) supervisor.assign(Array.from({ length: partitions }, (_, partition) => partition));

  const finished = supervisor.finished
    .finally(() => {
      unwatch?.();
      return lookups.close();
    })
    .then(
      () => membership?.leave(),
      async (cause: unknown) => {
        await membership?.leave().catch((error: unknown) => onWarning(messageOf(error)));
        throw cause;
      },
    );
  return {
    topology,
    finished,
    latencies,
    stop: () => supervisor.stop(),
    get tasks() {
      return supervisor.tasks;
    },
    get outages() {
      return outages.down;
    },
    get health() {
      return supervisor.health.map((health) => ({ ...health, subtopology: topology.name }));
    },
    get standbys() {
      return (membership?.standbys?.() ?? []).map((standby) => ({ ...standby, subtopology: topology.name }));
    },
    get elsewhere() {
      if (!membership) return [];
      const own = new Set(supervisor.tasks.map(({ id }) => id.partition));
      return Array.from({ length: partitions }, (_, partition) => partition).flatMap((partition) => {
        const address = membership.addressOf?.(partition);
        const isOwn = own.has(partition) || (address !== undefined && address === options.address); // or is being opened
        return isOwn ? [] : [{ subtopology: topology.name, partition, address }];
      });
    },
    ask: async (step, key, partition = partitionOf(Buffer.from(key), partitions)) => {
      if (!(partition >= 0 && partition < partitions)) throw noPartition(partition, partitions);
      const task = supervisor.tasks.find(({ id }) => id.partition === partition);
      if (task) return task.query(step, key);
      const address = membership?.addressOf?.(partition);
      if (address !== undefined && address !== options.address) return { kind: 'elsewhere', address, partition };
      return { kind: 'retry', why: `task ${partition} does not run in this process` };
    },
  };
}

const noPartition = (partition: number, partitions: number): MillraceError =>
  new MillraceError('config', `there is no partition ${partition}`, { hint: `0 to ${partitions - 1}` });

/** The state of a run now. */
export function snapshotOf(
  subtopologies: readonly RunningSubtopology[],
  { profile, inference, tracing }: Pick<RunOptions, 'profile' | 'inference' | 'tracing'>,
  isPaused: boolean,
): RunSnapshot {
  const tasks = subtopologies.flatMap((subtopology) => subtopology.tasks);
  const snapshots = tasks.map((task) => task.snapshot());
  const counters = new Map<string, Map<string, { step: string; name: string; value: number }>>();
  const latency = new DurationHistogram();
  const latencies = new Map<string, DurationHistogram>();
  const busyMs = new Map<string, number>();
  for (const { step, name, value } of snapshots.flatMap((task) => task.counters)) {
    const ofStep = getOrInsert(counters, step, () => new Map());
    getOrInsert(ofStep, name, () => ({ step, name, value: 0 })).value += value;
  }
  for (const task of tasks)
    for (const [step, ms] of task.pipeline.busyMs) busyMs.set(step, (busyMs.get(step) ?? 0) + ms);
  for (const { topology, latencies: byNode } of subtopologies) {
    for (const [node, { histogram }] of byNode) latencies.set(node, histogram.copy());
    for (const { id } of topology.sinks) latency.add(latencies.get(id) ?? new DurationHistogram());
  }
  return {
    tasks: snapshots,
    isPaused,
    counters: [...counters.values()].flatMap((ofStep) => [...ofStep.values()]),
    measures: tasks.flatMap((task) => task.measures.ofAll()),
    slices: tasks.flatMap((task) => task.measures.bySlice()),
    outages: subtopologies.flatMap((subtopology) => subtopology.outages),
    health: subtopologies.flatMap((subtopology) => subtopology.health),
    standbys: subtopologies.flatMap((subtopology) => subtopology.standbys),
    throttledMs: profile.throttledMs?.() ?? 0,
    models: inference.models?.() ?? [],
    spans: tracing?.counts() ?? { sent: 0, dropped: 0 },
    latency,
    latencies,
    busyMs,
  };
}

const recordsOnTheWayMax = ({ shape }: Topology['steps'][number]): number =>
  (shape.shape === 'batched' ? shape.inFlightMax : undefined) ?? Number.POSITIVE_INFINITY;
