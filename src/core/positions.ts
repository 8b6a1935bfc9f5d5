import type { Checkpoint, Position, Source } from './io.js';

/**
 * Where a checkpoint holds the position in a partition of a source: under the id of its step, and, since a task has
 * several positions in a global source, the partition.
 *
 * @example
 * positionKey('rates', { global: true }, 2); // 'rates/2'
 */
export const positionKey = (step: string, { global }: Pick<Source<unknown>, 'global'>, partition: number): string =>
  global ? `${step}/${partition}` : step;

/** The step whose position lies under a key. */
export const stepOfPosition = (key: string): string => key.split('/', 1)[0] as string;

/** What a checkpoint says of a source, by the partition of its topic; one entry at most where it is not global. */
export function positionsIn(
  { positions }: Pick<Checkpoint, 'positions'>,
  step: string,
  source: Pick<Source<unknown>, 'global'>,
  task: number,
): ReadonlyMap<number, Position> {
  if (!source.global) {
    const own = positions[step];
    return new Map(own === undefined ? [] : [[task, own]]);
  }
  const prefix = `${step}/`;
  const found = Object.entries(positions).flatMap(([key, position]) =>
    key.startsWith(prefix) ? [[Number(key.slice(prefix.length)), position] as const] : [],
  );
  return new Map(found.sort(([a], [b]) => a - b));
}

/** The partitions of a source that a task reads, of as many as its topic has. */
export const partitionsRead = ({ global }: Pick<Source<unknown>, 'global'>, task: number, partitions: number) =>
  global ? Array.from({ length: partitions }, (_, partition) => partition) : [task];
