import type { TaskSnapshot } from '../runtime/index.js';
import { getOrInsert } from '../util/maps.js';

type Counted = TaskSnapshot['counters'][number];

/** A counter of a run: in all runs that share its state, and in this one. */
export interface RunCount {
  readonly step: string;
  readonly name: string;
  readonly value: number;
  readonly inThisRun: number;
}

/** What is known of one task: its counters when it has come furthest, and the lowest that each began this run with. */
interface Known {
  epoch: number;
  counters: readonly Counted[];
  readonly begun: Map<string, number>;
}

/**
 * Adds up what the tasks of a run have counted. A task that has left, or whose process has died, is kept as it was last
 * seen, so totals do not fall when tasks move. A task that several processes tell of counts once.
 */
export class RunCounts {
  private readonly tasks = new Map<string, Known>();

  /** Takes in tasks as they are now; of two views of a task, the one of the higher epoch counts. */
  note(tasks: readonly Pick<TaskSnapshot, 'subtopology' | 'partition' | 'epoch' | 'counters'>[]): void {
    for (const { subtopology, partition, epoch, counters } of tasks) {
      const id = `${subtopology}/${partition}`;
      const known = this.tasks.get(id) ?? { epoch: -1, counters: [], begun: new Map<string, number>() };
      this.tasks.set(id, known);
      for (const each of counters) {
        const key = keyOf(each);
        known.begun.set(key, Math.min(each.restored, known.begun.get(key) ?? Number.POSITIVE_INFINITY));
      }
      if (epoch < known.epoch) continue;
      known.epoch = epoch;
      known.counters = counters;
    }
  }

  all(): RunCount[] {
    const sums = new Map<string, { step: string; name: string; value: number; inThisRun: number }>();
    for (const { counters, begun } of this.tasks.values())
      for (const each of counters) {
        const key = keyOf(each);
        const { step, name, value } = each;
        const sum = sums.get(key) ?? { step, name, value: 0, inThisRun: 0 };
        sum.value += value;
        sum.inThisRun += value - (begun.get(key) ?? 0);
        sums.set(key, sum);
      }
    return [...sums.values()];
  }
}

const keyOf = ({ step, name }: Counted): string => `${step}/${name}`;

/** What tasks have counted, as they are now. Many tasks of many steps are added up once a second, so keys are not put together. */
export function countsOf(tasks: readonly Pick<TaskSnapshot, 'counters'>[]): RunCount[] {
  const bySteps = new Map<string, Map<string, { step: string; name: string; value: number; inThisRun: number }>>();
  for (const { counters } of tasks)
    for (const { step, name, value, restored } of counters) {
      const byNames = getOrInsert(bySteps, step, () => new Map());
      const sum = getOrInsert(byNames, name, () => ({ step, name, value: 0, inThisRun: 0 }));
      sum.value += value;
      sum.inThisRun += value - restored;
    }
  return [...bySteps.values()].flatMap((byNames) => [...byNames.values()]);
}
