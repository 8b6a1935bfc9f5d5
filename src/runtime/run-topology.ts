import { MillraceError } from '../core/index.js';
import { check, stagesOf, type Topology, type TopologyProblem } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { systemClock } from './clock.js';
import { layOut } from './layout.js';
import { paceOf, unpaced } from './pace.js';
import { type Running, type RunningStage, type RunOptions, runStage, snapshotOf } from './run.js';

/**
 * Runs a topology on a profile: one task for each partition of its inputs, all of them in this process, or those that the
 * profile's group assigns to it.
 *
 * The stages of a topology with repartitions run side by side. A bounded run takes one after another, each to the end of
 * what the one before has written by then: where several processes share the tasks, run stage after stage (`stage`), each in
 * all of them.
 *
 * @throws MillraceError `config` where `check` finds problems, inputs are not co-partitioned or there is no such stage.
 * @example
 * const running = await runTopology(flightDelays, { profile, inference });
 * process.once('SIGINT', () => running.stop());
 * await running.finished;
 */
export async function runTopology(topology: Topology, options: RunOptions): Promise<Running> {
  const { profile, clock = systemClock, recordsPerSecondMax, bounded = false } = options;
  const problems = check(topology);
  if (problems.length > 0) throw problemsError(topology, problems);
  const all = stagesOf(topology);
  const chosen = stagesNamed(options.stage, topology, all);
  const tasks = await layOut(all, profile);

  const pace = recordsPerSecondMax ? paceOf(recordsPerSecondMax, clock) : unpaced;
  const running: RunningStage[] = [];
  let stopping = false;
  const stop = () => {
    stopping = true;
    for (const stage of running) stage.stop();
  };
  const start = async (stage: Topology): Promise<RunningStage> => {
    // A rate is one of what comes in; what lies between stages is only passed on.
    const passesOn = stage.sources.every(({ source }) => source.marked || source.global);
    const started = await runStage(stage, tasks.get(stage.name) ?? 0, passesOn ? unpaced : pace, options);
    started.finished.catch(() => undefined); // whoever waits for it hears of it, perhaps later
    running.push(started);
    if (stopping) started.stop();
    return started;
  };
  const finished = bounded
    ? inTurn(await start(chosen[0] as Topology), chosen.slice(1), start, () => stopping)
    : sideBySide(await startAll(chosen, start, stop), stop);
  return {
    finished,
    stop: () => {
      stop();
      return finished;
    },
    snapshot: () => snapshotOf(running, profile),
    ask: async (step, key, partition) => {
      const owner = all.find(({ steps }) => steps.some(({ id }) => id === step)) ?? chosen[0];
      const stage = running.find(({ topology: { name } }) => name === owner?.name);
      return stage?.ask(step, key, partition) ?? { kind: 'retry', why: `stage '${owner?.name}' does not run here` };
    },
  };
}

type Start = (stage: Topology) => Promise<RunningStage>;

async function inTurn(
  first: RunningStage,
  rest: readonly Topology[],
  start: Start,
  isStopping: () => boolean,
): Promise<void> {
  await first.finished;
  for (const stage of rest) {
    if (isStopping()) return;
    await (await start(stage)).finished;
  }
}

/** Starts stages until one cannot be: then those that run are stopped again. */
async function startAll(stages: readonly Topology[], start: Start, stop: () => void): Promise<RunningStage[]> {
  const started: RunningStage[] = [];
  try {
    for (const stage of stages) started.push(await start(stage));
  } catch (error) {
    stop();
    await Promise.allSettled(started.map(({ finished }) => finished));
    throw error;
  }
  return started;
}

/** One that fails ends all, with its cause. */
async function sideBySide(stages: readonly RunningStage[], stop: () => void): Promise<void> {
  let failure: { readonly cause: unknown } | undefined;
  await Promise.all(
    stages.map(({ finished }) =>
      finished.catch((cause: unknown) => {
        failure ??= { cause };
        stop();
      }),
    ),
  );
  if (failure) throw failure.cause;
}

function stagesNamed(wanted: string | undefined, topology: Topology, all: readonly Topology[]): readonly Topology[] {
  if (wanted === undefined) return all;
  const found = all.filter(({ name }) => name === wanted || name === `${topology.name}/${wanted}`);
  if (found.length > 0) return found;
  throw new MillraceError('config', `there is no stage '${wanted}'`, {
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
