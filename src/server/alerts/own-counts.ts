import type { RunSnapshot, TaskSnapshot } from '../../runtime/index.js';

/**
 * Adds up what tasks count in this process. Their counters are part of the checkpoint and move with them: what a task counted in another
 * process, before it came or while it was away, would look like a burst. A task that starts again from its checkpoint counts again from
 * where it was. Sums never fall.
 *
 * Memory: a number for each task and counter.
 */
export function ownCounts(): (
  tasks: readonly Pick<TaskSnapshot, 'subtopology' | 'partition' | 'counters'>[],
) => RunSnapshot['counters'] {
  const seen = new Map<string, number>();
  const sums = new Map<string, { readonly step: string; readonly name: string; value: number }>();
  return (tasks) => {
    for (const { subtopology, partition, counters } of tasks)
      for (const { step, name, value, restored } of counters) {
        const id = `${step}/${name}`;
        const key = `${subtopology}/${partition}/${id}`;
        const from = Math.max(restored, seen.get(key) ?? 0);
        const sum = sums.get(id) ?? { step, name, value: 0 };
        sum.value += Math.max(0, value - from);
        sums.set(id, sum);
        seen.set(key, Math.max(value, from));
      }
    return [...sums.values()];
  };
}
