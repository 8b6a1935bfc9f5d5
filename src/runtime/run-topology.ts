import { MillraceError } from '../core/index.js';
import {
  check,
  layoutHash,
  subtopologiesOf,
  type Topology,
  type TopologyProblem,
  topologyHash,
} from '../topology/index.js';
import { counted } from '../util/counted.js';
import { paceOf, systemClock, unpaced } from './clock.js';
import { ByteBudget } from './in-flight.js';
import { layOut } from './layout.js';
import type { Outage } from './outages.js';
import {
  type Running,
  type RunningSubtopology,
  type RunOptions,
  runSubtopology,
  STALL_MAX_MS,
  type StartingRun,
  snapshotOf,
} from './run.js';

/**
 * Runs a topology on a profile: one task for each partition of its inputs. All tasks run in this process, or those that the
 * profile's group assigns to it.
 *
 * The sub-topologies of a topology with repartitions run side by side. A bounded run runs them one after another, each to the end
 * of what the one before has written. If several processes share the tasks, run one sub-topology after another (`subtopology`),
 * each in all processes.
 *
 * @throws MillraceError `config` if `check` finds problems, inputs are not co-partitioned, or the sub-topology does not exist.
 * @example
 * const running = await runTopology(flightDelays, { profile, inference });
 * process.once('SIGINT', () => running.stop());
 * await running.finished;
 */
export async function runTopology(topology: Topology, options: RunOptions): Promise<Running> {
  const { profile, clock = systemClock, recordsPerSecondMax, bounded = false } = options;
  const problems = check(topology);
  if (problems.length > 0) throw problemsError(topology, problems);
  const all = subtopologiesOf(topology);
  const chosen = subtopologiesNamed(options.subtopology, topology, all);
  const pace = recordsPerSecondMax ? paceOf(recordsPerSecondMax, clock) : unpaced;
  const budget = new ByteBudget(options.inFlightBytesMax);
  const running: RunningSubtopology[] = [];
  let stopping = false;
  let isPaused = false;
  const pausing = {
    isPaused: () => isPaused,
    onPaused: () => {
      if (isPaused || !options.followsPause) return;
      isPaused = true;
      options.onWarning?.('the other processes of the group are paused, so this one is too: resume them together');
    },
  };
  const starting = new AbortController();
  const stop = () => {
    stopping = true;
    starting.abort();
    for (const subtopology of running) subtopology.stop();
  };
  /** What the start waits for. */
  let waitsFor: Outage | undefined;
  const run: StartingRun = {
    stop: async () => stop(),
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
    },
    snapshot: () => {
      const snapshot = snapshotOf(running, options, isPaused);
      return waitsFor ? { ...snapshot, outages: [waitsFor] } : snapshot;
    },
    query: async (step, key, partition) => {
      const owner = all.find(({ steps }) => steps.some(({ id }) => id === step)) ?? chosen[0];
      const subtopology = running.find(({ topology: { name } }) => name === owner?.name);
      return (
        subtopology?.ask(step, key, partition) ?? {
          kind: 'retry',
          why: `sub-topology '${owner?.name}' does not run in this process`,
        }
      );
    },
    elsewhere: () => running.flatMap((subtopology) => subtopology.elsewhere),
  };
  const tasks = await layOut(all, profile, {
    clock,
    random: options.random ?? Math.random,
    stallMaxMs: options.stallMax ?? STALL_MAX_MS,
    onWarning: (message) => options.onWarning?.(message),
    stopped: starting.signal,
    onOutage: (outage) => {
      waitsFor = outage;
      if (outage) options.onStartWaits?.(run);
    },
  });

  const hash = topologyHash(topology);
  const accepted = options.acceptPlan === true || options.acceptPlan === hash;
  const start = async (subtopology: Topology): Promise<RunningSubtopology> => {
    // The rate limits the topology's inputs; repartition topics are not limited.
    const passesOn = subtopology.sources.every(({ source }) => source.hasWatermarkMarkers || source.global);
    const started = await runSubtopology(
      subtopology,
      tasks.get(subtopology.name) ?? 0,
      passesOn ? unpaced : pace,
      { hash, layout: layoutHash(subtopology), accepted },
      budget,
      pausing,
      options,
    );
    started.finished.catch(() => undefined); // the caller awaits it later
    running.push(started);
    if (stopping) started.stop();
    return started;
  };
  const finished = bounded
    ? inTurn(await start(chosen[0] as Topology), chosen.slice(1), start, () => stopping)
    : sideBySide(await startAll(chosen, start, stop), stop);
  return {
    ...run,
    finished,
    stop: () => {
      stop();
      return finished;
    },
  };
}

type Start = (subtopology: Topology) => Promise<RunningSubtopology>;

async function inTurn(
  first: RunningSubtopology,
  rest: readonly Topology[],
  start: Start,
  isStopping: () => boolean,
): Promise<void> {
  await first.finished;
  for (const subtopology of rest) {
    if (isStopping()) return;
    await (await start(subtopology)).finished;
  }
}

/** Starts all sub-topologies; if one fails to start, the others are stopped. */
async function startAll(
  subtopologies: readonly Topology[],
  start: Start,
  stop: () => void,
): Promise<RunningSubtopology[]> {
  const started: RunningSubtopology[] = [];
  try {
    for (const subtopology of subtopologies) started.push(await start(subtopology));
  } catch (error) {
    stop();
    await Promise.allSettled(started.map(({ finished }) => finished));
    throw error;
  }
  return started;
}

/** If one fails, all end with its cause. */
async function sideBySide(subtopologies: readonly RunningSubtopology[], stop: () => void): Promise<void> {
  let failure: { readonly cause: unknown } | undefined;
  await Promise.all(
    subtopologies.map(({ finished }) =>
      finished.catch((cause: unknown) => {
        failure ??= { cause };
        stop();
      }),
    ),
  );
  if (failure) throw failure.cause;
}

function subtopologiesNamed(
  wanted: string | undefined,
  topology: Topology,
  all: readonly Topology[],
): readonly Topology[] {
  if (wanted === undefined) return all;
  const found = all.filter(({ name }) => name === wanted || name === `${topology.name}/${wanted}`);
  if (found.length > 0) return found;
  throw new MillraceError('config', `there is no sub-topology '${wanted}'`, {
    where: topology.name,
    hint: `it has: ${all.map(({ name }) => name).join(', ')}`,
  });
}

function problemsError({ name }: Topology, problems: readonly TopologyProblem[]): MillraceError {
  const list = problems.map(({ where, message, hint }) => `  ${where}: ${message} (${hint})`).join('\n');
  return new MillraceError('config', `the topology has ${counted(problems.length, 'problem')}:\n${list}`, {
    where: name,
  });
}
