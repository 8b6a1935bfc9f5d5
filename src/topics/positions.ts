import { definition as kafka } from '../../connectors/kafka/definition.js';
import { type Checkpoint, EARLIEST, type Position } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { INTERNAL } from '../core/internal.js';
import { sourceDriver } from '../core/profile.js';
import type { Source } from '../core/source.js';
import type { OpenProfile } from '../profiles/profiles.js';
import type { Topology } from '../topology/index.js';
import { offsetsOf, type Start } from './read-topic.js';

/** Before every event time: what the runtime begins an input with. */
const BEFORE_ALL_MS = -8.64e15;

/** How positions come out of a savepoint: as they are, or anew where the log is another one. */
export type RestoredPositions = 'keep' | 'earliest' | 'latest';

/** A position at an offset, from which the merge begins anew. */
export function positionAt(offset: number): Position {
  if (Number.isFinite(offset)) return { offset, mergeTimeMs: BEFORE_ALL_MS };
  throw new MillraceError('config', 'only a topic can start at a time or at its end', {
    hint: 'other inputs can only start at `earliest` or at the number of a record',
  });
}

/** The same positions, as of sources that have merged nothing yet. */
export const restarted = (positions: Checkpoint['positions']): Checkpoint['positions'] =>
  Object.fromEntries(
    Object.entries(positions).map(([key, { clock: _, ...position }]) => [
      key,
      { ...position, mergeTimeMs: BEFORE_ALL_MS },
    ]),
  );

/** Whether a source reads a topic, of which the profile can tell where it begins and ends. */
export const isTopic = ({ connector, definition }: Source<unknown>): boolean =>
  connector === INTERNAL || definition?.readsLog === true;

/** The same source, read from a topic. */
export const readFrom = <T>(topic: string, source: Source<T>): Source<T> =>
  Object.freeze({ ...source, topic, connector: kafka.name, definition: kafka.kinds.source });

/**
 * A source that is looked at and not opened for others: records that come by HTTP are read from the topic where they lie, and
 * no door is opened for more.
 */
export const onlyRead = <T>(source: Source<T>): Source<T> =>
  source.definition?.readsLog ? readFrom(source.topic, source) : source;

/**
 * By source step id and partition, the offset of a point in each source's log. Inputs that are no topics count from 0 and
 * have no end.
 */
export async function offsetsBySource(
  profile: Pick<OpenProfile, 'name' | 'offsetsAt' | 'driver' | 'sources'>,
  { sources }: Topology,
  start: Start,
): Promise<Map<string, readonly number[]>> {
  const found = new Map<string, readonly number[]>();
  for (const { id, source } of sources) {
    if (isTopic(source)) found.set(id, await offsetsOf(profile, source.topic, start));
    else {
      const partitions = await (await sourceDriver(profile, source, id)).partitions(source);
      found.set(
        id,
        Array.from({ length: partitions }, () => countedFrom(start)),
      );
    }
  }
  return found;
}

function countedFrom(start: Start): number {
  if (typeof start === 'object' && 'offset' in start) return start.offset;
  return start === 'earliest' ? 0 : Number.POSITIVE_INFINITY;
}

/** A checkpoint for a task that has none: it has read nothing. */
export const emptyCheckpoint = (topologyHash: string): Checkpoint => ({
  epoch: 0,
  incarnation: 0,
  topologyHash,
  positions: {},
  settledDecisions: {},
});

/** The offset of a position as people read it: `null` where the task begins at the oldest record. */
export const offsetOrNull = (position: Position | undefined): number | null =>
  position === undefined || position.offset === EARLIEST ? null : position.offset;
