import { storedTasks } from '../checkpoints/stored-state.js';
import { MillraceError } from '../core/errors.js';
import type { Profile } from '../core/profile.js';
import { withSources } from '../core/profile.js';
import { positionKey, readerAround, type SourceDriver, type SourceReader, stepOfPosition } from '../core/source.js';
import { createInference } from '../inference/index.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { runTopology } from '../runtime/index.js';
import { onlyRead } from '../topics/positions.js';
import {
  downstreamOf,
  layoutOf,
  type PlannedTask,
  type Topology,
  topologyHash,
  upstreamOf,
} from '../topology/index.js';

export interface BackfillOptions {
  /** The step whose state is to be as if it had always been there. */
  readonly step: string;
  /** Sinks that get its history too; by default those tables that are fed by the step through `featureRows`. */
  readonly sinks?: readonly string[] | undefined;
  onWarning(message: string): void;
}

export interface Backfill {
  readonly step: string;
  readonly sinks: readonly string[];
  /** Records read again. */
  readonly records: number;
  /** Where the history ends and the stream goes on, by task and source. */
  readonly joins: Readonly<Record<number, Readonly<Record<string, number>>>>;
}

/**
 * Computes a new feature step over all that the logs still have, by the code and the runtime that serve it live, and joins
 * it to the stream: the part of the topology that leads to the step is run from the oldest record to exactly the
 * positions of the stopped topology's checkpoints, then its state takes its place in them. So history and stream meet
 * without a gap and nothing is counted twice; other steps keep the state that they have.
 *
 * An interrupted backfill goes on where it stopped. Rows of the history carry the identity of their records under a name
 * of the backfill's own: running it again changes nothing.
 *
 * @throws MillraceError `config` while the topology runs, before it ever ran, and for a step that has no state.
 */
export async function backfill(profile: OpenProfile, topology: Topology, options: BackfillOptions): Promise<Backfill> {
  const { step } = options;
  const node = topology.steps.find(({ id }) => id === step);
  if (node?.shape.shape !== 'stateful')
    throw new MillraceError('config', node ? 'the step has no state to fill' : 'there is no such step', {
      where: step,
      hint: `steps with state: ${topology.steps.flatMap(({ id, shape }) => (shape.shape === 'stateful' ? [id] : [])).join(', ')}`,
    });
  if (topology.repartitions.length > 0)
    throw new MillraceError('config', 'a topology with repartitions cannot be backfilled', {
      where: topology.name,
      hint: 'move the step and its inputs into a topology of its own',
    });
  await profile.checkpoints.mustBeStopped(topology.name);
  const live = await storedTasks(profile, topology);
  if (live.length === 0)
    throw new MillraceError('config', 'the topology has not run yet: there is nothing to join', {
      where: topology.name,
      hint: 'just run the topology: it starts at the oldest record',
    });

  const sinks = options.sinks ?? storesOf(topology, step);
  const whole = upstreamOf(topology, [step, ...sinks], '');
  const part = { ...whole, sources: whole.sources.map(({ id, source }) => ({ id, source: onlyRead(source) })) };
  // A name by what is computed: an older definition's half-finished history is not gone on with.
  const history: Topology = { ...part, name: `${topology.name}.backfill-${topologyHash(part).slice(0, 8)}` };
  const records = await runHistory(profile, history, live, options.onWarning);

  const filled = await storedTasks(profile, history);
  for (const task of live) await install(profile, topology, step, task, filled);
  const joins = Object.fromEntries(
    live.map(({ partition, checkpoint }) => [partition, offsetsOf(checkpoint?.positions ?? {}, history)]),
  );
  return { step, sinks, records, joins };
}

/** Tables with rows of a feature store: what a history is for. */
function storesOf(topology: Topology, step: string): string[] {
  const after = downstreamOf(topology, step);
  const rows = new Set(topology.steps.flatMap(({ id, kind }) => (kind === 'featureRows' && after.has(id) ? [id] : [])));
  const found = topology.sinks.filter(({ input, sink }) => rows.has(input.from) && sink.connector === 'clickhouse');
  if (found.length > 0) return found.map(({ id }) => id);
  throw new MillraceError('config', 'no table keeps the feature rows of this step', {
    where: step,
    hint: 'name the sinks that should get the history: --sinks a,b',
  });
}

async function runHistory(
  profile: OpenProfile,
  history: Topology,
  live: readonly PlannedTask[],
  onWarning: (message: string) => void,
): Promise<number> {
  const inference = createInference();
  try {
    const running = await runTopology(history, { profile: upTo(profile, live), inference, bounded: true, onWarning });
    await running.finished;
    return running
      .snapshot()
      .counters.filter(({ name }) => name === 'read')
      .reduce((sum, { value }) => sum + value, 0);
  } finally {
    await inference.close();
  }
}

/** The profile as it was when the checkpoints were stored: inputs end at their positions. */
function upTo(profile: OpenProfile, live: readonly PlannedTask[]): Profile {
  const positions = new Map(live.map(({ partition, checkpoint }) => [partition, checkpoint?.positions ?? {}]));
  const ending = (driver: SourceDriver): SourceDriver => ({
    partitions: (source) => driver.partitions(source),
    async open(source, at) {
      const { task, partition, step } = at;
      const end = positions.get(task.partition)?.[positionKey(step, source, partition)]?.offset ?? 0;
      return readUpTo(await driver.open(source, { ...at, bounded: true }), end);
    },
  });
  return withSources(profile, ending);
}

/** The records before an offset, and then the end. */
const readUpTo = (reader: SourceReader, end: number): SourceReader =>
  readerAround(reader, {
    async poll(recordsMax, bytesMax) {
      const { records, ended } = await reader.poll(recordsMax, bytesMax);
      const before = records.filter(({ offset }) => offset < end);
      return {
        records: before,
        ended: ended || before.length < records.length || (before.at(-1)?.offset ?? -1) + 1 >= end,
      };
    },
    release: () => undefined, // history is looked at, and stays
  });

/** Puts the step's state of the history in the place of what the task has of it. */
async function install(
  { checkpoints }: OpenProfile,
  topology: Topology,
  step: string,
  { partition, checkpoint, state, topics }: PlannedTask,
  filled: readonly PlannedTask[],
): Promise<void> {
  if (!checkpoint) return;
  const history = filled.find((task) => task.partition === partition);
  for (const [source, { offset }] of Object.entries(history?.checkpoint?.positions ?? {})) {
    const joint = checkpoint.positions[source]?.offset;
    if (offset !== joint)
      throw new MillraceError(
        'internal',
        `the history of task ${partition} ends at ${offset} of ${source}, not at ${joint}`,
        {
          where: step,
        },
      );
  }
  const others = state.filter((change) => change.step !== step);
  const own = history?.state.filter((change) => change.step === step) ?? [];
  // Only the step that has its history now is accepted: other changes are still refused by the next run.
  const isOfStep = (line: string) => line.startsWith(`step ${step} (`);
  const layout = checkpoint.layout && [
    ...checkpoint.layout.filter((line) => !isOfStep(line)),
    ...layoutOf(topology).filter(isOfStep),
  ];
  await checkpoints.replace(
    { topology: topology.name, partition },
    { checkpoint: { ...checkpoint, topologyHash: topologyHash(topology), layout }, state: [...others, ...own], topics },
  );
}

const offsetsOf = (positions: Readonly<Record<string, { readonly offset: number }>>, { sources }: Topology) =>
  Object.fromEntries(
    sources.flatMap(({ id, source }) =>
      source.global
        ? Object.entries(positions).flatMap(([key, { offset }]) => (stepOfPosition(key) === id ? [[key, offset]] : []))
        : [[id, positions[id]?.offset ?? 0]],
    ),
  );
