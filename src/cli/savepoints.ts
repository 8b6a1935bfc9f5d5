import { existsSync } from 'node:fs';
import { MillraceError } from '../core/errors.js';
import type { Checkpoint, Position } from '../core/io.js';
import { encodeSavepoint, type SavepointManifest, type SavepointTask } from '../state/savepoint.js';
import { readerIn, type Topology, topologyHash } from '../topology/index.js';
import { emptyCheckpoint, offsetsBySource, positionAt } from './positions.js';
import type { OpenProfile } from './profiles.js';
import { decodedTasks, savepointFile, withSavepoint, writeWhole } from './savepoint-files.js';
import { incarnationOf, storedTasks, tasksOf, topicsOf } from './stored-state.js';

export interface CreatedSavepoint extends SavepointManifest {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Writes the newest checkpoints of a topology that does not run into a file: all of it or nothing. Memory: one task.
 *
 * @throws MillraceError `config` while the topology runs, where the name is taken or there is nothing to save.
 */
export async function createSavepoint(
  profile: OpenProfile,
  topology: Topology,
  { name, data, nowMs }: { readonly name: string; readonly data: string; readonly nowMs: number },
): Promise<CreatedSavepoint> {
  const file = savepointFile(data, name);
  if (existsSync(file)) {
    throw new MillraceError('config', `there is a savepoint '${name}'`, { where: file, hint: 'take another name' });
  }
  const { checkpoints } = profile;
  await checkpoints.mustBeStopped(topology.name);
  const saved = await checkpoints.tasks(topology.name);
  const first = saved[0];
  if (first === undefined) {
    throw new MillraceError('config', `no checkpoint of '${topology.name}' on the ${profile.name} profile`, {
      hint: 'run it first; --profile and --data say where',
    });
  }
  const { checkpoint } = await checkpoints.inspect({ topology: topology.name, partition: first });
  const manifest: SavepointManifest = {
    name,
    topology: topology.name,
    topologyHash: checkpoint?.topologyHash ?? '',
    createdAt: new Date(nowMs).toISOString(),
    partitions: await tasksOf(profile, topology),
    topics: topicsOf(topology),
    profile: profile.name,
  };
  const tasks = (async function* (): AsyncGenerator<SavepointTask> {
    for (let partition = 0; partition < manifest.partitions; partition++) {
      yield await checkpoints.inspect({ topology: topology.name, partition });
    }
  })();
  return { ...manifest, file, bytes: await writeWhole(file, encodeSavepoint(manifest, tasks)) };
}

/** How positions come out of a savepoint: as they are, or anew where the log is another one. */
export type RestoredPositions = 'keep' | 'earliest' | 'latest';

export interface RestoreOptions {
  readonly file: string;
  readonly positions: RestoredPositions;
}

/**
 * Puts the state of a savepoint in the place of what the profile has of the topology; state that the topology does not
 * read stays in the file. Every task gets an incarnation above those of the savepoint and the profile. The file is checked as a whole before anything is written; a restore that
 * is interrupted is to be repeated. Memory: one task.
 *
 * @throws MillraceError `config` while the topology runs, and where partitions or positions do not fit the logs.
 */
export async function restoreSavepoint(
  profile: OpenProfile,
  topology: Topology,
  { file, positions }: RestoreOptions,
): Promise<{ readonly incarnation: number; readonly tasks: number }> {
  const { checkpoints } = profile;
  await checkpoints.mustBeStopped(topology.name);
  const { manifest, incarnation: saved } = verified(file);
  const partitions = await tasksOf(profile, topology);
  if (partitions !== manifest.partitions) {
    throw new MillraceError(
      'config',
      `the savepoint has ${manifest.partitions} tasks, the inputs have ${partitions} partitions`,
      {
        where: file,
        hint: 'state cannot be spread over another number of partitions: give the topics the same number',
      },
    );
  }
  const place = await placing(profile, topology, manifest, positions);
  const incarnation = Math.max(saved, incarnationOf(await storedTasks(profile, topology))) + 1;
  const topics = topicsOf(topology);
  const isRead = readerIn(topology);
  // Looked at before anything is written: a position that does not fit must not be found half-way.
  for (const { partition, checkpoint } of decodedTasks(file)) place(checkpoint, partition);
  for (const { partition, checkpoint, state } of decodedTasks(file)) {
    const base = checkpoint ?? emptyCheckpoint(topologyHash(topology));
    const placed = { ...base, incarnation, positions: place(checkpoint, partition) };
    await checkpoints.replace(
      { topology: topology.name, partition },
      { checkpoint: placed, state: state.filter(isRead), topics },
    );
  }
  return { incarnation, tasks: partitions };
}

type Place = (checkpoint: Checkpoint | undefined, partition: number) => Record<string, Position>;

/** How a task's positions come into the logs of this profile. */
async function placing(
  profile: OpenProfile,
  topology: Topology,
  manifest: SavepointManifest,
  positions: RestoredPositions,
): Promise<Place> {
  if (positions !== 'keep') {
    const offsets = await offsetsBySource(profile, topology, positions);
    return (_, partition) =>
      Object.fromEntries([...offsets].map(([id, found]) => [id, positionAt(found[partition] ?? 0)]));
  }
  const [first, last] = await Promise.all([
    offsetsBySource(profile, topology, 'earliest'),
    offsetsBySource(profile, topology, 'latest'),
  ]);
  return (checkpoint, partition) => {
    const kept: Record<string, Position> = {};
    for (const { id, source } of topology.sources) {
      const position = checkpoint?.positions[id];
      if (position === undefined) continue;
      const from = first.get(id)?.[partition] ?? 0;
      const to = last.get(id)?.[partition] ?? 0;
      const here = position.offset < 0 || (position.offset >= from && position.offset <= to);
      if (manifest.topics[id] !== source.topic || !here) {
        throw new MillraceError(
          'config',
          `the position ${position.offset} in ${manifest.topics[id]}/${partition} is not one in ${source.topic}/${partition}, which holds ${from} to ${to}`,
          { where: id, hint: 'the log is another one: --positions earliest or latest' },
        );
      }
      kept[id] = position;
    }
    return kept;
  };
}

function verified(file: string): { readonly manifest: SavepointManifest; readonly incarnation: number } {
  return withSavepoint(file, (savepoint) => {
    let incarnation = 0;
    for (const { checkpoint } of savepoint.tasks()) incarnation = Math.max(incarnation, checkpoint?.incarnation ?? 0);
    return { manifest: savepoint.manifest, incarnation };
  });
}
