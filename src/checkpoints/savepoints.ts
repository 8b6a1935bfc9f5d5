import { existsSync } from 'node:fs';
import type { Checkpoint, Position } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { partitionsRead, positionKey, positionsIn } from '../core/source.js';
import type { OpenProfile } from '../profiles/profiles.js';
import {
  encodeSavepoint,
  type SavepointManifest,
  type SavepointSubtopology,
  type SavepointTask,
  subtopologiesIn,
} from '../state/savepoint.js';
import { emptyCheckpoint, offsetsBySource, positionAt, type RestoredPositions } from '../topics/positions.js';
import {
  type PlannedTask,
  readerIn,
  type SourceNode,
  subtopologiesOf,
  type Topology,
  topologyHash,
} from '../topology/index.js';
import { counted } from '../util/counted.js';
import { mustBeDrained, mustBeStopped, setUpBetween, subtopologiesThere } from './between-subtopologies.js';
import { rescaled } from './rescaling.js';
import { decodedTasks, savepointFile, withSavepoint, writeWhole } from './savepoint-files.js';
import { incarnationOf, mustHaveWritten, storedTasks, tasksOf, topicsOf } from './stored-state.js';

export interface SavepointOptions {
  readonly name: string;
  readonly data: string;
  readonly nowMs: number;
  readonly isUnchanged?: (() => Promise<boolean>) | undefined;
}

export interface CreatedSavepoint extends SavepointManifest {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Writes the newest checkpoints of a topology into a file, completely or not at all. The topology is stopped, or it runs and all its tasks are
 * at rest: then `isUnchanged` says at the end whether they still are. Memory: one task.
 *
 * @throws MillraceError `config` while the topology runs, if the name is taken, if there is nothing to save, if records lie between
 * sub-topologies, and if the tasks have changed meanwhile.
 */
export async function createSavepoint(
  profile: OpenProfile,
  topology: Topology,
  { name, data, nowMs, isUnchanged }: SavepointOptions,
): Promise<CreatedSavepoint> {
  const file = savepointFile(data, name);
  if (existsSync(file)) {
    throw new MillraceError('config', `a savepoint '${name}' already exists`, {
      where: file,
      hint: 'choose another name',
    });
  }
  const { checkpoints } = profile;
  if (!isUnchanged) await mustBeStopped(profile, topology);
  await mustBeDrained(profile, topology);
  const subtopologies: SavepointSubtopology[] = [];
  for (const subtopology of await subtopologiesThere(profile, topology)) {
    const saved = await checkpoints.tasks(subtopology.name);
    const first = saved[0];
    if (first === undefined) continue;
    const { checkpoint } = await checkpoints.inspect({ topology: subtopology.name, partition: first });
    subtopologies.push({
      name: subtopology.name,
      topologyHash: checkpoint?.topologyHash ?? '',
      // Partitions that an input got since then do not matter: the state is that of this number of tasks.
      partitions: checkpoint?.tasks ?? (await tasksOf(profile, subtopology)),
      topics: topicsOf(subtopology),
    });
  }
  const first = subtopologies[0];
  if (first === undefined) {
    throw new MillraceError('config', `no checkpoint of '${topology.name}' on the ${profile.name} profile`, {
      hint: 'run it first; check --profile and --data',
    });
  }
  const isWhole = topology.repartitions.length === 0;
  const manifest: SavepointManifest = {
    name,
    topology: topology.name,
    topologyHash: isWhole ? first.topologyHash : topologyHash(topology),
    createdAt: new Date(nowMs).toISOString(),
    partitions: subtopologies.reduce((sum, { partitions }) => sum + partitions, 0),
    topics: topicsOf(topology),
    profile: profile.name,
    ...(isWhole ? {} : { subtopologies }),
  };
  const tasks = (async function* (): AsyncGenerator<SavepointTask> {
    for (const subtopology of subtopologies)
      for (let partition = 0; partition < subtopology.partitions; partition++)
        yield await checkpoints.inspect({ topology: subtopology.name, partition });
    if (isUnchanged && !(await isUnchanged()))
      throw new MillraceError('config', 'tasks have moved or been resumed meanwhile', {
        where: file,
        hint: 'try again',
      });
  })();
  return { ...manifest, file, bytes: await writeWhole(file, encodeSavepoint(manifest, tasks)) };
}

export interface RestoreOptions {
  readonly file: string;
  readonly positions: RestoredPositions;
  /** Into as many tasks as the inputs have partitions now, whatever their number was. */
  readonly rescale?: { readonly assumeKeyed: boolean } | undefined;
}

/**
 * Replaces the state that the profile has of the topology by that of a savepoint. State that the topology does not read stays in
 * the file. Every task gets an incarnation above those of the savepoint and the profile. The whole file is checked before anything
 * is written. An interrupted restore must be repeated. Memory: one task; if the number of tasks changes, the state of a
 * sub-topology twice.
 *
 * @throws MillraceError `config` while the topology runs, and if partitions or positions do not fit the logs; `state` if state
 * cannot be divided, and if rows wait for their sink and positions are not kept.
 */
export async function restoreSavepoint(
  profile: OpenProfile,
  topology: Topology,
  { file, positions, rescale }: RestoreOptions,
): Promise<{ readonly incarnation: number; readonly tasks: number }> {
  await mustBeStopped(profile, topology);
  const { manifest, incarnation: saved } = verified(file);
  const subtopologies: RestoredSubtopology[] = [];
  for (const subtopology of subtopologiesOf(topology)) {
    const kept = subtopologiesIn(manifest).find(({ name }) => name === subtopology.name);
    if (!kept) continue; // new, or had committed nothing
    await setUpBetween(profile, topology, subtopology, kept.partitions);
    const partitions = await tasksOf(profile, subtopology);
    if (partitions === kept.partitions) {
      subtopologies.push({
        subtopology,
        kept,
        partitions,
        made: undefined,
        positionsOf: await restoredPositions(profile, subtopology, kept.topics, positions),
      });
      continue;
    }
    if (!rescale) {
      throw new MillraceError(
        'config',
        `the savepoint has ${counted(kept.partitions, 'task')}, the inputs have ${counted(partitions, 'partition')}`,
        { where: file, hint: 'give the topics the same number of partitions, or pass --rescale to divide the state' },
      );
    }
    const saved = [...tasksIn(file, [{ kept }])].map((task): PlannedTask => ({ ...task, topics: kept.topics }));
    const made = await rescaled(profile, subtopology, saved, { tasks: partitions, positions, ...rescale });
    subtopologies.push({
      subtopology,
      kept,
      partitions,
      made,
      positionsOf: (checkpoint) => checkpoint?.positions ?? {},
    });
  }
  const before = await Promise.all(subtopologies.map(({ subtopology }) => storedTasks(profile, subtopology)));
  const incarnation = Math.max(saved, incarnationOf(before.flat())) + 1;
  // Checked before anything is written, so a position that does not fit leaves the state unchanged.
  for (const { target, partition, checkpoint, state } of restoredTasks(file, subtopologies)) {
    target.positionsOf(checkpoint, partition);
    if (positions !== 'keep') mustHaveWritten(target.subtopology, partition, state);
  }
  let tasks = 0;
  for (const { target, partition, checkpoint, state } of restoredTasks(file, subtopologies)) {
    const { subtopology, positionsOf } = target;
    const base = checkpoint ?? emptyCheckpoint(topologyHash(subtopology));
    await profile.checkpoints.replace(
      { topology: subtopology.name, partition },
      {
        // The user has accepted the plan of a restore into another version.
        checkpoint: {
          ...base,
          layout: undefined,
          tasks: target.partitions,
          incarnation,
          positions: positionsOf(checkpoint, partition),
        },
        state: state.filter(readerIn(subtopology)),
        topics: topicsOf(subtopology),
      },
    );
    tasks += 1;
  }
  return { incarnation, tasks };
}

interface RestoredSubtopology {
  readonly subtopology: Topology;
  readonly kept: ReturnType<typeof subtopologiesIn>[number];
  /** How many tasks there will be. */
  readonly partitions: number;
  /** Its tasks, where the file has another number of them. */
  readonly made: readonly PlannedTask[] | undefined;
  readonly positionsOf: PositionsOf;
}

/** All tasks of these sub-topologies as they are to be: those of the file, or what was made of them. */
function* restoredTasks(file: string, subtopologies: readonly RestoredSubtopology[]) {
  yield* tasksIn(
    file,
    subtopologies.filter(({ made }) => made === undefined),
  );
  for (const target of subtopologies) for (const task of target.made ?? []) yield { target, ...task };
}

/** The tasks of a savepoint that some of these sub-topologies take over, each with its number in the subtopology. */
function* tasksIn<S extends Pick<RestoredSubtopology, 'kept'>>(file: string, subtopologies: readonly S[]) {
  for (const { partition: number, ...task } of decodedTasks(file)) {
    const target = subtopologies.find(
      ({ kept: { first, partitions } }) => number >= first && number < first + partitions,
    );
    if (target) yield { target, ...task, partition: number - target.kept.first };
  }
}

type PositionsOf = (checkpoint: Checkpoint | undefined, partition: number) => Record<string, Position>;

/**
 * The positions of a task in the logs of this profile. Records between sub-topologies are skipped, since the sub-topologies that
 * wrote them continue from their own positions and write them again. Watermark markers remain true for the same reason.
 */
async function restoredPositions(
  profile: OpenProfile,
  subtopology: Topology,
  topics: SavepointSubtopology['topics'],
  positions: RestoredPositions,
): Promise<PositionsOf> {
  const [first, last] = await Promise.all([
    offsetsBySource(profile, subtopology, 'earliest'),
    offsetsBySource(profile, subtopology, 'latest'),
  ]);
  const anew = positions === 'earliest' ? first : last;
  const positionIn = ({ id, source }: SourceNode, partition: number, position: Position | undefined) => {
    const from = first.get(id)?.[partition] ?? 0;
    const to = last.get(id)?.[partition] ?? 0;
    if (positions !== 'keep') return positionAt(source.hasWatermarkMarkers ? to : (anew.get(id)?.[partition] ?? 0));
    if (source.hasWatermarkMarkers) return { ...(position ?? positionAt(to)), offset: to };
    if (!position) return undefined;
    const isHere = position.offset < 0 || (position.offset >= from && position.offset <= to);
    if (topics[id] === source.topic && isHere) return position;
    throw new MillraceError(
      'config',
      `the position ${position.offset} in ${topics[id]}/${partition} is not one in ${source.topic}/${partition}, which holds ${from} to ${to}`,
      { where: id, hint: 'if this is another log, pass --positions earliest or latest' },
    );
  };
  return (checkpoint, task) => {
    const found: Record<string, Position> = {};
    for (const node of subtopology.sources) {
      const here = partitionsRead(node.source, task, last.get(node.id)?.length ?? 0);
      const saved = checkpoint ? positionsIn(checkpoint, node.id, node.source, task).keys() : [];
      for (const partition of positions === 'keep' ? new Set([...here, ...saved]) : here) {
        const key = positionKey(node.id, node.source, partition);
        const position = positionIn(node, partition, checkpoint?.positions[key]);
        if (position) found[key] = position;
      }
    }
    return found;
  };
}

function verified(file: string): { readonly manifest: SavepointManifest; readonly incarnation: number } {
  return withSavepoint(file, (savepoint) => {
    let incarnation = 0;
    for (const { checkpoint } of savepoint.tasks()) incarnation = Math.max(incarnation, checkpoint?.incarnation ?? 0);
    return { manifest: savepoint.manifest, incarnation };
  });
}
