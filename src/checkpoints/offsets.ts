import type { LogEnd } from '../core/checkpoint.js';
import { partitionsRead, positionKey } from '../core/source.js';
import type { StateChange } from '../core/state.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { emptyCheckpoint, isTopic, offsetOrNull, offsetsBySource, positionAt, restarted } from '../topics/positions.js';
import type { Start } from '../topics/read-topic.js';
import { type PlannedTask, type Topology, topologyHash } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { mustBeDrained, mustBeStopped, subtopologiesThere } from './between-subtopologies.js';
import { incarnationOf, mustHaveWritten, storedTasks, tasksOf, topicsOf } from './stored-state.js';

export interface SourceLag {
  readonly source: string;
  readonly topic: string;
  readonly task: number;
  /** Of the topic: that of the task's number, and each in a global source. */
  readonly partition: number;
  /** The next offset to read; `null` where the task has committed nothing and begins at the oldest record. */
  readonly position: number | null;
  /** The offset after the last record, committed or not; `null` where nobody can tell without reading: of files, objects and pages. */
  readonly end: number | null;
  /** Entries between position and end; `null` likewise. On Kafka it counts records of open transactions and transaction markers too. */
  readonly lag: number | null;
  /** Which open transaction holds readers back before the end, and the command that ends it. */
  readonly heldBy?: string;
  /** Of what is no topic: where the next record lies, in the words of its connector. */
  readonly sourceState?: unknown;
}

/** How far each task has come in each source, by its newest checkpoint. */
export async function lagOf(profile: OpenProfile, topology: Topology): Promise<SourceLag[]> {
  const lags: SourceLag[] = [];
  for (const subtopology of await subtopologiesThere(profile, topology))
    lags.push(...(await lagOfSubtopology(profile, subtopology)));
  return lags;
}

/** How far all of it is behind, in words; of files and pages nobody knows, and nothing would be wrong. */
export function behindText(rows: readonly SourceLag[]): string {
  const lag = rows.reduce((sum, row) => sum + (row.lag ?? 0), 0);
  if (rows.length > 0 && rows.every((row) => row.lag === null)) return 'the lag is unknown: no source is a topic';
  return `${counted(lag, 'record')} behind${rows.some((row) => row.lag === null) ? ', not counting sources that are not topics' : ''}`;
}

async function lagOfSubtopology(profile: OpenProfile, topology: Topology): Promise<SourceLag[]> {
  const stored = new Map((await storedTasks(profile, topology)).map((task) => [task.partition, task]));
  const [starts, ends] = await Promise.all([
    offsetsBySource(profile, topology, 'earliest'),
    endsBySource(profile, topology),
  ]);
  const tasks = Array.from({ length: await tasksOf(profile, topology) }, (_, task) => task);
  return topology.sources.flatMap(({ id, source }) =>
    tasks.flatMap((task) =>
      partitionsRead(source, task, starts.get(id)?.length ?? 0).map((partition) => {
        const found = stored.get(task)?.checkpoint?.positions[positionKey(id, source, partition)];
        const position = offsetOrNull(found);
        const known = { source: id, topic: source.topic, task, partition, position };
        if (!isTopic(source)) return { ...known, end: null, lag: null, sourceState: found?.sourceState ?? null };
        const { end = 0, heldBy } = ends.get(id)?.[partition] ?? {};
        const lag = Math.max(0, end - (position ?? starts.get(id)?.[partition] ?? 0));
        return { ...known, end, lag, ...(heldBy === undefined ? {} : { heldBy }) };
      }),
    ),
  );
}

async function endsBySource(
  profile: OpenProfile,
  { sources }: Topology,
): Promise<ReadonlyMap<string, readonly LogEnd[]>> {
  const topics = sources.filter(({ source }) => isTopic(source));
  return new Map(
    await Promise.all(topics.map(async ({ id, source }) => [id, await profile.logEnds(source.topic)] as const)),
  );
}

export interface ResetOptions {
  readonly to: Start;
  /** Only this source; the others stay where they are. */
  readonly source: string | undefined;
  readonly dropState: boolean;
}

export interface OffsetMove {
  readonly source: string;
  readonly task: number;
  /** Of the topic, as in `SourceLag`. */
  readonly partition: number;
  readonly from: number | null;
  readonly to: number;
}

export interface Reset {
  readonly moves: readonly OffsetMove[];
  /** What the tasks will carry afterwards. */
  readonly incarnation: number;
  /** Puts the new checkpoints in place, task by task; may be repeated. */
  apply(): Promise<void>;
}

/**
 * Plans a reset of the offsets of a stopped topology: what it would change, and a function that does it. Every task gets a higher
 * incarnation, so sinks treat rows that are written again as newer than theirs. Records between sub-topologies are skipped: the
 * sub-topologies that wrote them write them again.
 *
 * @throws MillraceError `config` while the topology runs, and if state is kept while records between sub-topologies are unread;
 * `state` if it is kept and rows wait for their sink in a task that would move back.
 */
export async function planReset(profile: OpenProfile, topology: Topology, options: ResetOptions): Promise<Reset> {
  await mustBeStopped(profile, topology);
  if (!options.dropState) await mustBeDrained(profile, topology);
  const subtopologies = await subtopologiesThere(profile, topology);
  const stored = new Map<string, PlannedTask[]>();
  for (const subtopology of subtopologies) stored.set(subtopology.name, await storedTasks(profile, subtopology));
  const incarnation = incarnationOf([...stored.values()].flat()) + 1;
  const tasks: Awaited<ReturnType<typeof resetsOf>> = [];
  for (const subtopology of subtopologies)
    tasks.push(...(await resetsOf(profile, subtopology, stored.get(subtopology.name) ?? [], incarnation, options)));
  return {
    moves: tasks.flatMap(({ moves }) => moves),
    incarnation,
    async apply() {
      for (const { task, stored: placed } of tasks) await profile.checkpoints.replace(task, placed);
    },
  };
}

async function resetsOf(
  profile: OpenProfile,
  subtopology: Topology,
  stored: readonly PlannedTask[],
  incarnation: number,
  { to, source, dropState }: ResetOptions,
) {
  const found = new Map(stored.map((task) => [task.partition, task]));
  const [targets, ends] = await Promise.all([
    offsetsBySource(profile, subtopology, to),
    offsetsBySource(profile, subtopology, 'latest'),
  ]);
  const hash = topologyHash(subtopology);
  const moved = subtopology.sources.filter(
    (node) => source === undefined || node.id === source || node.source.hasWatermarkMarkers,
  );
  const topics = topicsOf(subtopology);
  const count = await tasksOf(profile, subtopology);
  return Array.from({ length: count }, (_, task) => {
    const before = found.get(task);
    const checkpoint = before?.checkpoint ?? emptyCheckpoint(hash);
    const moves = moved.flatMap(({ id, source: node }) => {
      const offsets = (node.hasWatermarkMarkers ? ends : targets).get(id) ?? [];
      return partitionsRead(node, task, offsets.length).map((partition) => {
        const key = positionKey(id, node, partition);
        return {
          key,
          move: {
            source: id,
            task,
            partition,
            from: offsetOrNull(checkpoint.positions[key]),
            to: offsets[partition] ?? 0,
          },
        };
      });
    });
    const positions = Object.fromEntries(moves.map(({ key, move }) => [key, positionAt(move.to)]));
    const state: readonly StateChange[] = dropState ? [] : (before?.state ?? []);
    if (moves.some(({ move }) => move.to < (move.from ?? 0))) mustHaveWritten(subtopology, task, state);
    const tasks = dropState ? count : checkpoint.tasks;
    // A reset of all sources also resets event time, including that of removed sources.
    const others = source === undefined ? restarted(checkpoint.positions) : checkpoint.positions;
    const placed = { ...checkpoint, tasks, incarnation, positions: { ...others, ...positions } };
    return {
      moves: moves.map(({ move }) => move),
      task: { topology: subtopology.name, partition: task },
      stored: { checkpoint: placed, state, topics },
    };
  });
}
