import { type Checkpoint, EARLIEST, type Position } from '../core/io.js';
import type { Topology } from '../topology/index.js';
import type { OpenProfile } from './profiles.js';
import { offsetsOf, type Start } from './read-topic.js';

/** Before every event time: what the runtime begins an input with. */
const BEFORE_ALL_MS = -8.64e15;

/** A position at an offset, from which the merge begins anew. */
export const positionAt = (offset: number): Position => ({ offset, mergeTimeMs: BEFORE_ALL_MS, suspectMs: null });

/** By source step id and partition, the offset of a point in each source's log. */
export async function offsetsBySource(
  profile: Pick<OpenProfile, 'offsetsAt'>,
  { sources }: Topology,
  start: Start,
): Promise<Map<string, readonly number[]>> {
  const found = new Map<string, readonly number[]>();
  for (const { id, source } of sources) found.set(id, await offsetsOf(profile, source.topic, start));
  return found;
}

/** A checkpoint for a task that has none: it has read nothing. */
export const emptyCheckpoint = (topologyHash: string): Checkpoint => ({
  epoch: 0,
  incarnation: 0,
  topologyHash,
  positions: {},
  choices: {},
});

/** The offset of a position as people read it: `null` where the task begins at the oldest record. */
export const offsetOrNull = (position: Position | undefined): number | null =>
  position === undefined || position.offset === EARLIEST ? null : position.offset;
