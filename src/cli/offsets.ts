import type { StateChange } from '../core/state.js';
import { type Topology, topologyHash } from '../topology/index.js';
import { emptyCheckpoint, offsetOrNull, offsetsBySource, positionAt } from './positions.js';
import type { OpenProfile } from './profiles.js';
import type { Start } from './read-topic.js';
import { incarnationOf, storedTasks, tasksOf, topicsOf } from './stored-state.js';

export interface SourceLag {
  readonly source: string;
  readonly topic: string;
  readonly task: number;
  /** The next offset to read; `null` where the task has committed nothing and begins at the oldest record. */
  readonly position: number | null;
  readonly end: number;
  /** Committed records that were not read yet. On Kafka it counts the marks of transactions too. */
  readonly lag: number;
}

/** How far each task has come in each source, by its newest checkpoint. */
export async function lagOf(profile: OpenProfile, topology: Topology): Promise<SourceLag[]> {
  const stored = new Map((await storedTasks(profile, topology)).map((task) => [task.partition, task]));
  const [starts, ends] = await Promise.all([
    offsetsBySource(profile, topology, 'earliest'),
    offsetsBySource(profile, topology, 'latest'),
  ]);
  return topology.sources.flatMap(({ id, source: { topic } }) =>
    (ends.get(id) ?? []).map((end, task) => {
      const position = offsetOrNull(stored.get(task)?.checkpoint?.positions[id]);
      const lag = Math.max(0, end - (position ?? starts.get(id)?.[task] ?? 0));
      return { source: id, topic, task, position, end, lag };
    }),
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
 * What moving the positions of a topology that does not run would change, and the way to do it. Every task gets a higher
 * incarnation, so that sinks take what is written again for newer than what they have.
 */
export async function planReset(profile: OpenProfile, topology: Topology, options: ResetOptions): Promise<Reset> {
  await profile.checkpoints.mustBeStopped(topology.name);
  const stored = new Map((await storedTasks(profile, topology)).map((task) => [task.partition, task]));
  const targets = await offsetsBySource(profile, topology, options.to);
  const hash = topologyHash(topology);
  const incarnation = incarnationOf([...stored.values()]) + 1;
  const moved = topology.sources.filter(({ id }) => options.source === undefined || id === options.source);
  const tasks = Array.from({ length: await tasksOf(profile, topology) }, (_, task) => {
    const before = stored.get(task);
    const checkpoint = before?.checkpoint ?? emptyCheckpoint(hash);
    const moves = moved.map(({ id }) => ({
      source: id,
      task,
      from: offsetOrNull(checkpoint.positions[id]),
      to: targets.get(id)?.[task] ?? 0,
    }));
    const positions = Object.fromEntries(moves.map(({ source, to }) => [source, positionAt(to)]));
    const state: readonly StateChange[] = options.dropState ? [] : (before?.state ?? []);
    return {
      moves,
      task,
      state,
      checkpoint: { ...checkpoint, incarnation, positions: { ...checkpoint.positions, ...positions } },
    };
  });
  const topics = topicsOf(topology);
  return {
    moves: tasks.flatMap(({ moves }) => moves),
    incarnation,
    async apply() {
      for (const { task, checkpoint, state } of tasks) {
        await profile.checkpoints.replace({ topology: topology.name, partition: task }, { checkpoint, state, topics });
      }
    },
  };
}
