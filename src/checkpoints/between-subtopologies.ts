import { EARLIEST } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { INTERNAL, markerOf } from '../core/internal.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { readPartition } from '../topics/read-topic.js';
import { subtopologiesOf, type Topology } from '../topology/index.js';
import { storedTasks } from './stored-state.js';

/** @throws MillraceError `config` while a process runs any sub-topology of the topology, as far as that can be known. */
export async function mustBeStopped({ checkpoints }: Pick<OpenProfile, 'checkpoints'>, topology: Topology) {
  for (const { name } of subtopologiesOf(topology)) await checkpoints.mustBeStopped(name);
}

/** The sub-topologies of a topology whose topics are there: those between sub-topologies are made by the first run. */
export async function subtopologiesThere(
  profile: Pick<OpenProfile, 'sources'>,
  topology: Topology,
): Promise<Topology[]> {
  const there: Topology[] = [];
  for (const subtopology of subtopologiesOf(topology))
    if (await hasTopics(profile, subtopology)) there.push(subtopology);
  return there;
}

async function hasTopics({ sources }: Pick<OpenProfile, 'sources'>, subtopology: Topology): Promise<boolean> {
  try {
    for (const { source } of subtopology.sources)
      if (source.hasWatermarkMarkers) await sources[INTERNAL]?.partitions(source);
    return true;
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'source') return false;
    throw error;
  }
}

/**
 * Checks that no record between two sub-topologies is written and still unread: such a record is in neither side's state.
 *
 * @throws MillraceError `config` with the command that reads it.
 */
export async function mustBeDrained(profile: OpenProfile, topology: Topology): Promise<void> {
  for (const subtopology of await subtopologiesThere(profile, topology)) {
    const between = subtopology.sources.filter((node) => node.source.hasWatermarkMarkers);
    if (between.length === 0) continue;
    const stored = new Map((await storedTasks(profile, subtopology)).map((task) => [task.partition, task]));
    for (const { id, source } of between) {
      const starts = await profile.offsetsAt(source.topic, 'earliest');
      for (const [partition, first] of starts.entries()) {
        const position = stored.get(partition)?.checkpoint?.positions[id]?.offset ?? EARLIEST;
        const from = position === EARLIEST ? first : position;
        for await (const record of readPartition(profile, source.topic, partition, from)) {
          if (markerOf(record)) continue;
          throw new MillraceError(
            'config',
            `there are records between the sub-topologies that '${subtopology.name}' has not read`,
            {
              where: `${source.topic}/${partition}@${record.offset}`,
              hint: `process them first: millrace run FILE --subtopology ${id} --until-end`,
            },
          );
        }
      }
    }
  }
}

/** Makes the topics in front of a sub-topology where they are missing, with so many partitions. */
export async function setUpBetween(
  profile: OpenProfile,
  topology: Topology,
  subtopology: Topology,
  partitions: number,
): Promise<void> {
  for (const { id } of subtopology.sources.filter(({ source }) => source.hasWatermarkMarkers)) {
    for (const { name, sinks } of subtopologiesOf(topology)) {
      const sink = sinks.find((node) => node.id === id)?.sink;
      if (sink) await profile.sinks[INTERNAL]?.setUp?.(sink, { topology: name, step: id, partitions });
    }
  }
}
