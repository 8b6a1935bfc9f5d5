import { EARLIEST, type Position } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { partitionOf } from '../core/partition.js';
import { positionKey, positionsIn } from '../core/source.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { Counters } from '../runtime/task-state.js';
import { emptyCheckpoint, offsetsBySource, positionAt, type RestoredPositions } from '../topics/positions.js';
import { readPartition } from '../topics/read-topic.js';
import {
  furthestIn,
  type PlannedTask,
  readerIn,
  rescaleTasks,
  type SourceNode,
  type Topology,
  topologyHash,
} from '../topology/index.js';
import { counted } from '../util/counted.js';
import { unfinishedBy } from './unfinished.js';

export interface Rescaling {
  /** How many tasks there are to be: the partitions of the inputs now. */
  readonly tasks: number;
  readonly positions: RestoredPositions;
  readonly assumeKeyed: boolean;
}

/**
 * Redistributes the state of a sub-topology over another number of tasks, with positions in the logs of this profile.
 *
 * @throws MillraceError `state` if a cell cannot be divided, or a removed task has unfinished files; `config` if positions cannot be
 * kept, and if records that were written with the old number of partitions are still unread.
 */
export async function rescaled(
  profile: OpenProfile,
  subtopology: Topology,
  stored: readonly PlannedTask[],
  { tasks, positions, assumeKeyed }: Rescaling,
): Promise<PlannedTask[]> {
  await mustOweNothing(
    subtopology,
    stored.filter(({ partition }) => partition >= tasks),
  );
  const reads = readerIn(subtopology);
  const known = stored.map((task) => ({ ...task, state: task.state.filter(reads) }));
  const made = rescaleTasks(subtopology, known, { tasks, assumeKeyed, counters: () => new Counters() });
  const positionsOf = await positionsByTask(profile, subtopology, stored, { tasks, positions, assumeKeyed });
  const base = { ...emptyCheckpoint(topologyHash(subtopology)), tasks };
  const epoch = Math.max(0, ...stored.map(({ checkpoint }) => checkpoint?.epoch ?? 0));
  return made.map(({ state, copyOf }, partition) => ({
    partition,
    state,
    topics: stored[0]?.topics ?? {},
    checkpoint: {
      ...base,
      epoch,
      positions: positionsOf(partition, copyOf),
      committables: stored[partition]?.checkpoint?.committables, // what a sink has of this task's
    },
  }));
}

/** Nobody goes on with the files of a task that goes, and their rows were read already. */
async function mustOweNothing(subtopology: Topology, going: readonly PlannedTask[]): Promise<void> {
  const unfinished = await unfinishedBy(subtopology);
  for (const { partition, checkpoint } of going) {
    const [step] =
      Object.entries(checkpoint?.committables ?? {}).find(([, committable]) =>
        unfinished(committable).some(({ isOpen }) => isOpen),
      ) ?? [];
    if (step === undefined) continue;
    throw new MillraceError('state', `task ${partition} has files that have not ended`, {
      where: step,
      hint: 'a task can be removed only after its files are finished: run `millrace run FILE --until-end`, then create the savepoint',
    });
  }
}

async function positionsByTask(
  profile: OpenProfile,
  subtopology: Topology,
  stored: readonly PlannedTask[],
  { tasks, positions }: Rescaling,
): Promise<(task: number, copyOf: number) => Record<string, Position>> {
  const [first, last] = await Promise.all([
    offsetsBySource(profile, subtopology, 'earliest'),
    offsetsBySource(profile, subtopology, 'latest'),
  ]);
  for (const { id, source } of subtopology.sources) {
    const found = last.get(id)?.length ?? 0;
    if (source.global || found === tasks) continue;
    throw new MillraceError(
      'config',
      `${source.topic} has ${counted(found, 'partition')}, other inputs have ${tasks}`,
      {
        where: id,
        hint: source.hasWatermarkMarkers
          ? 'it is a repartition topic: process it to its end, then delete it; it is created again'
          : 'records that meet in a step must be in the same partition: give all inputs the same number',
      },
    );
  }
  const own = subtopology.sources.filter(({ source }) => !source.global && !source.hasWatermarkMarkers);
  if (positions === 'keep') for (const node of own) await mustBeKept(profile, node, stored, tasks, last);
  const checkpoints = stored.map(({ checkpoint }) => checkpoint);
  return (task, copyOf) => {
    const found: Record<string, Position> = {};
    const copied = checkpoints[copyOf];
    for (const { id, source } of subtopology.sources) {
      if (source.global) {
        for (const [partition, position] of copied ? positionsIn(copied, id, source, copyOf) : []) {
          const anew = (positions === 'earliest' ? first : last).get(id)?.[partition] ?? 0;
          found[positionKey(id, source, partition)] = positions === 'keep' ? position : { ...position, offset: anew };
        }
        continue;
      }
      const time = furthestIn(checkpoints, id);
      if (time === undefined) continue;
      const anew = (positions === 'earliest' ? first : last).get(id)?.[task] ?? 0;
      if (source.hasWatermarkMarkers) {
        const { watermarkMarkers } = copied?.positions[id] ?? {};
        found[id] = { ...time, offset: last.get(id)?.[task] ?? 0, ...(watermarkMarkers ? { watermarkMarkers } : {}) };
      } else if (positions === 'keep') {
        found[id] = { offset: EARLIEST, ...checkpoints[task]?.positions[id], ...time };
      } else found[id] = { ...positionAt(anew), ...time };
    }
    return found;
  };
}

/**
 * Positions can be kept if the topic got more partitions, since the old partitions keep their records. Their unread records must
 * be in the partition that their key has now, and those from before the change are not.
 */
async function mustBeKept(
  profile: OpenProfile,
  { id, source: { topic } }: SourceNode,
  stored: readonly PlannedTask[],
  tasks: number,
  last: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  if (tasks < stored.length) {
    throw new MillraceError(
      'config',
      `${topic} has ${counted(tasks, 'partition')}, its positions are in ${stored.length}`,
      {
        where: id,
        hint: 'if this is another log, pass --positions earliest or latest',
      },
    );
  }
  for (const { partition, checkpoint } of stored) {
    const position = checkpoint?.positions[id];
    const end = last.get(id)?.[partition] ?? 0;
    if (!position || position.offset === EARLIEST || position.offset >= end) continue;
    for await (const { key, offset } of readPartition(profile, topic, partition, position.offset)) {
      if (key !== null && partitionOf(key, tasks) === partition) continue;
      throw new MillraceError('config', 'there are unread records that belong to other partitions by now', {
        where: `${topic}/${partition}@${offset}`,
        hint: 'add partitions only after the topic has been read: copy it to a new topic with this number of partitions, and start there (--positions earliest)',
      });
    }
  }
}
