import type { Duration, InferenceService, Metric, Profile } from '../core/index.js';
import { MillraceError, messageOf, millis, partitionOf } from '../core/index.js';
import { check, type Topology, type TopologyProblem } from '../topology/index.js';
import { type Clock, systemClock } from './clock.js';
import { DurationHistogram } from './histogram.js';
import { paceOf, unpaced } from './pace.js';
import type { Reply } from './questions.js';
import { Supervisor } from './supervisor.js';
import { DEAD_LETTERS, type EpochPoint, METRICS, Task, type TaskSnapshot } from './task.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly inference: InferenceService;
  /** End where the logs end at the start instead of waiting for more. */
  readonly bounded?: boolean;
  /** With `bounded`: nothing will ever follow, so windows that are still open close and timers fire. */
  readonly final?: boolean;
  /** How often a task drains and commits; 500 ms by default. */
  readonly epochInterval?: Duration;
  /** Records that a task may have on their way to the sinks; 20,000 by default. */
  readonly inFlightMax?: number;
  /** Records in a round; 1,000 by default. */
  readonly roundMax?: number;
  /** The most records to take a second, over all tasks; no limit by default. */
  readonly recordsPerSecondMax?: number | undefined;
  readonly clock?: Clock;
  /** Told of everything that was mended without help: a task that was restarted, for example. */
  onWarning?(message: string): void;
  /** Told what the profile's group calls this process, each time that changes. */
  onJoined?(memberId: string): void;
  /** Called at the named points of every epoch; for tests. */
  onPoint?(point: EpochPoint, task: number): void;
}

export interface RunSnapshot {
  readonly tasks: readonly TaskSnapshot[];
  /** Cumulative, over all tasks; part of the checkpoints. */
  readonly counters: readonly { readonly step: string; readonly name: string; readonly value: number }[];
  /** The newest measurement of each step, task and name. */
  readonly measures: readonly Metric[];
  readonly latency: DurationHistogram;
  /** By step, over all tasks, since the start. */
  readonly busyMs: ReadonlyMap<string, number>;
}

export interface Running {
  /** Resolves when every task has ended and committed; rejects with the cause of a failure. */
  readonly finished: Promise<void>;
  /** Drains, commits and closes all tasks; resolves when that is done. */
  stop(): Promise<void>;
  snapshot(): RunSnapshot;
  /**
   * What a step holds of a key in the state of a task, as of the next checkpoint. The task is that of the partition, by
   * default the one that records with this key lie in.
   *
   * @throws MillraceError `config` for a step that cannot be asked, or a partition that is none.
   */
  ask(step: string, key: string, partition?: number): Promise<Reply>;
}

/**
 * Runs a topology on a profile: one task for each partition of its inputs. All of them run in this process, or those that
 * the profile's group assigns to it.
 *
 * @throws MillraceError `config` where `check` finds problems or inputs are not co-partitioned.
 * @example
 * const running = await runTopology(flightDelays, { profile, inference });
 * process.once('SIGINT', () => running.stop());
 * await running.finished;
 */
export async function runTopology(topology: Topology, options: RunOptions): Promise<Running> {
  const { profile, inference, clock = systemClock, epochInterval = millis(500) } = options;
  const problems = check(topology);
  if (problems.length > 0) throw problemsError(topology, problems);
  const partitions = await partitionsOf(topology, profile);
  await setUpSinks(topology, profile, partitions);

  const pace = options.recordsPerSecondMax ? paceOf(options.recordsPerSecondMax, clock) : unpaced;
  const open = (partition: number): Promise<Task> =>
    Task.open(
      { topology: topology.name, partition },
      {
        topology,
        profile,
        services: { inference },
        clock,
        bounded: options.bounded ?? false,
        final: options.final ?? false,
        epochIntervalMs: epochInterval,
        staggerMs: (epochInterval * partition) / partitions,
        inFlightMax: options.inFlightMax ?? 20_000,
        roundMax: options.roundMax ?? 1_000,
        pace,
        onPoint: (point, task) => options.onPoint?.(point, task),
      },
    );
  const onWarning = (message: string) => options.onWarning?.(message);
  const supervisor = new Supervisor({ clock, open, onWarning, inGroup: profile.join !== undefined });
  const membership = await profile.join?.({
    topology: topology.name,
    sources: topology.sources.map(({ source }) => source),
    onAssigned: (assigned) => supervisor.assign(assigned),
    onJoined: (memberId) => options.onJoined?.(memberId),
    onFailed: (cause) => supervisor.fail(cause),
  });
  if (!membership) supervisor.assign(Array.from({ length: partitions }, (_, partition) => partition));

  const finished = supervisor.finished.then(
    () => membership?.leave(),
    async (cause: unknown) => {
      await membership?.leave().catch((error: unknown) => onWarning(messageOf(error)));
      throw cause;
    },
  );
  return {
    finished,
    stop: () => {
      supervisor.stop();
      return finished;
    },
    snapshot: () => snapshotOf(supervisor.tasks),
    ask: async (step, key, partition = partitionOf(Buffer.from(key), partitions)) => {
      if (!(partition >= 0 && partition < partitions)) throw noPartition(partition, partitions);
      const task = supervisor.tasks.find(({ id }) => id.partition === partition);
      return task ? task.ask(step, key) : { kind: 'retry', why: `task ${partition} does not run in this process` };
    },
  };
}

const noPartition = (partition: number, partitions: number): MillraceError =>
  new MillraceError('config', `there is no partition ${partition}`, { hint: `0 to ${partitions - 1}` });

function problemsError({ name }: Topology, problems: readonly TopologyProblem[]): MillraceError {
  const list = problems.map(({ where, message, hint }) => `  ${where}: ${message} (${hint})`).join('\n');
  return new MillraceError('config', `the topology has ${problems.length} problem(s):\n${list}`, { where: name });
}

async function partitionsOf(topology: Topology, profile: Profile): Promise<number> {
  const counts = await Promise.all(
    topology.sources.map(async ({ id, source }) => {
      const driver = profile.sources[source.connector];
      if (!driver)
        throw new MillraceError('config', `the ${profile.name} profile cannot read '${source.connector}'`, {
          where: id,
        });
      return { id, topic: source.topic, partitions: await driver.partitions(source) };
    }),
  );
  const first = counts[0];
  if (!first) throw new MillraceError('config', 'a topology needs a source', { where: topology.name });
  const other = counts.find(({ partitions }) => partitions !== first.partitions);
  if (other)
    throw new MillraceError(
      'config',
      `inputs are not co-partitioned: ${first.topic} has ${first.partitions} partitions, ${other.topic} has ${other.partitions}`,
      {
        where: other.id,
        hint: 'records that meet in a step must lie in the same partition: give both topics the same number and key',
      },
    );
  return first.partitions;
}

async function setUpSinks(topology: Topology, profile: Profile, partitions: number): Promise<void> {
  const metrics = topology.metrics ? [{ id: METRICS, sink: topology.metrics }] : [];
  for (const { id, sink } of [...topology.sinks, { id: DEAD_LETTERS, sink: topology.deadLetters }, ...metrics]) {
    const driver = profile.sinks[sink.connector];
    if (!driver)
      throw new MillraceError('config', `the ${profile.name} profile cannot write '${sink.connector}'`, { where: id });
    await driver.setUp?.(sink as never, { topology: topology.name, step: id, partitions });
  }
}

function snapshotOf(tasks: readonly Task[]): RunSnapshot {
  const counters = new Map<string, { step: string; name: string; value: number }>();
  const latency = new DurationHistogram();
  const busyMs = new Map<string, number>();
  for (const task of tasks) {
    for (const { step, name, value } of task.counters()) {
      const sum = counters.get(`${step}/${name}`);
      if (sum) sum.value += value;
      else counters.set(`${step}/${name}`, { step, name, value });
    }
    latency.add(task.pipeline.latency);
    for (const [step, ms] of task.pipeline.busyMs) busyMs.set(step, (busyMs.get(step) ?? 0) + ms);
  }
  return {
    tasks: tasks.map((task) => task.snapshot()),
    counters: [...counters.values()],
    measures: tasks.flatMap((task) => [...task.measures.values()]),
    latency,
    busyMs,
  };
}
