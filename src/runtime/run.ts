import type { Duration, InferenceService, Metric, Profile, TaskId } from '../core/index.js';
import { MillraceError, millis } from '../core/index.js';
import { check, type Topology, type TopologyProblem } from '../topology/index.js';
import { type Clock, systemClock } from './clock.js';
import { DurationHistogram } from './histogram.js';
import { paceOf, unpaced } from './pace.js';
import { DEAD_LETTERS, type EpochPoint, METRICS, Task, type TaskOptions, type TaskSnapshot } from './task.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly inference: InferenceService;
  /** End where the logs end at the start instead of waiting for more. */
  readonly bounded?: boolean;
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
}

const RESTARTS_MAX = 5;
const BACK_OFF_MS = 200;

/**
 * Runs a topology on a profile: one task for each partition of its inputs, all in this process.
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
  const tasks = new Map<number, Task>();
  let stopping = false;
  const optionsOf = (partition: number): TaskOptions => ({
    topology,
    profile,
    services: { inference },
    clock,
    bounded: options.bounded ?? false,
    epochIntervalMs: epochInterval,
    staggerMs: (epochInterval * partition) / partitions,
    inFlightMax: options.inFlightMax ?? 20_000,
    roundMax: options.roundMax ?? 1_000,
    pace,
    onPoint: (point, task) => options.onPoint?.(point, task),
  });

  const stopAll = () => {
    stopping = true;
    for (const task of tasks.values()) task.stop();
  };

  /** Runs one task to its end; one that failed for a reason outside itself is opened anew from its checkpoint. */
  const supervise = async (id: TaskId): Promise<void> => {
    for (let failures = 0; !stopping; ) {
      let epochBefore = 0;
      let task: Task | undefined;
      try {
        task = await Task.open(id, optionsOf(id.partition));
        tasks.set(id.partition, task);
        epochBefore = task.snapshot().epoch;
        if (stopping) task.stop();
        await task.run();
        await task.close();
        return;
      } catch (error) {
        await closeFailed(task, options);
        if (task && task.snapshot().epoch > epochBefore) failures = 0; // it got somewhere: not the same failure again and again
        failures += 1;
        if (stopping || !isPassing(error) || failures > RESTARTS_MAX) throw error;
        options.onWarning?.(
          `task ${id.partition} failed and is restored from its checkpoint: ${(error as Error).message}`,
        );
        await clock.sleep(BACK_OFF_MS * 2 ** (failures - 1));
      }
    }
  };

  const ids = Array.from({ length: partitions }, (_, partition): TaskId => ({ topology: topology.name, partition }));
  const supervised = ids.map((id) =>
    supervise(id).catch((error: unknown) => {
      stopAll();
      throw error;
    }),
  );
  const finished = Promise.allSettled(supervised).then((results) => {
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  });
  return {
    finished,
    stop: () => {
      stopAll();
      return finished;
    },
    snapshot: () => snapshotOf([...tasks.values()]),
  };
}

function problemsError({ name }: Topology, problems: readonly TopologyProblem[]): MillraceError {
  const list = problems.map(({ where, message, hint }) => `  ${where}: ${message} (${hint})`).join('\n');
  return new MillraceError('config', `the topology has ${problems.length} problem(s):\n${list}`, { where: name });
}

/** Failures of the world outside, which may be over at the next try; everything else stops the run with its cause. */
const isPassing = (error: unknown): boolean =>
  error instanceof MillraceError && (error.code === 'source' || error.code === 'sink' || error.code === 'state');

async function closeFailed(task: Task | undefined, options: RunOptions): Promise<void> {
  try {
    await task?.close();
  } catch (error) {
    options.onWarning?.(`closing a failed task: ${(error as Error).message}`);
  }
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
