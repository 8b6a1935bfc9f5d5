import type { StoredTask } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { sourceDriver } from '../core/profile.js';
import type { StateChange } from '../core/state.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { sinksOf } from '../runtime/sinks.js';
import type { PlannedTask, Topology } from '../topology/index.js';

type World = Pick<OpenProfile, 'name' | 'sources' | 'driver' | 'checkpoints'>;

/**
 * The newest checkpoint of every task that has one. Tasks that a restore into fewer tasks has removed are left out. Memory: the
 * state of the topology.
 */
export async function storedTasks({ checkpoints }: World, topology: Topology): Promise<PlannedTask[]> {
  const stored: PlannedTask[] = [];
  for (const partition of await checkpoints.tasks(topology.name)) {
    stored.push({ partition, ...(await checkpoints.inspect({ topology: topology.name, partition })) });
  }
  const newest = incarnationOf(stored);
  const now = stored.find(({ checkpoint }) => checkpoint?.incarnation === newest)?.checkpoint?.tasks;
  return now === undefined
    ? stored
    : stored.filter(({ partition, checkpoint }) => partition < now || checkpoint?.incarnation === newest);
}

/** How many tasks a topology has on a profile: the partitions of its inputs. */
export async function tasksOf(world: World, topology: Topology): Promise<number> {
  const counts = await Promise.all(
    topology.sources
      .filter(({ source }) => !source.global)
      .map(async ({ id, source }) => {
        const driver = await sourceDriver(world, source, id);
        return driver.partitions(source);
      }),
  );
  return Math.max(0, ...counts);
}

/** As `tasksOf`; `undefined` where topics are not there. */
export async function tasksNow(world: World, topology: Topology): Promise<number | undefined> {
  try {
    return await tasksOf(world, topology);
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'source') return undefined;
    throw error;
  }
}

/**
 * Checks that no row of a task waits for its sink. Rows from before a move back would be written after it, as the newest of their
 * input: the sink would take what is read again for repeated.
 *
 * @throws MillraceError `state` with the sink.
 */
export function mustHaveWritten(topology: Topology, task: number, state: readonly StateChange[]): void {
  const sinks = new Set(sinksOf(topology).map(({ id }) => id));
  const waiting = state.find(({ step, cell, bytes }) => cell === 'rows' && bytes !== null && sinks.has(step));
  if (!waiting) return;
  throw new MillraceError('state', `task ${task} has rows that the sink may not have written yet`, {
    where: waiting.step,
    hint: 'run it until it ends or is stopped: then they are written',
  });
}

/** The topic of each source, by step id. */
export const topicsOf = ({ sources }: Topology): Record<string, string> =>
  Object.fromEntries(sources.map(({ id, source }) => [id, source.topic]));

/** The highest incarnation among checkpoints. */
export const incarnationOf = (tasks: readonly Pick<StoredTask, 'checkpoint'>[]): number =>
  Math.max(0, ...tasks.map(({ checkpoint }) => checkpoint?.incarnation ?? 0));
