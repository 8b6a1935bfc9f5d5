/**
 * How does the engine behave with many tasks, and with few records in most of them?
 *
 * Three parts, each on a broker of its own. `skew`: one of eight partitions holds a hundred times as many records as each other; the
 * others must not wait for it, and hours that are merged over all partitions must be counted right. `many`: 100 and 200 tasks in one
 * process, from its start to the first results, and what they cost while there is nothing to read. `group`: 1,000 tasks of 20 members.
 * These are in one process and run no tasks; all of their requests to the broker are real. `--only` runs one part.
 */
import type { Benchmark, BenchmarkResult, Goal } from './benchmark.js';
import type { Spread } from './pairs.js';
import { groupOf } from './tasks/group.js';
import { manyTasks } from './tasks/many.js';
import { skew } from './tasks/skew.js';

export const options = { records: 1_070_000, rounds: 3, members: 20, tasks: 1_000, only: '' };

type Part = Required<Pick<BenchmarkResult, 'figures' | 'ratios' | 'goals'>>;
type Progress = (line: string) => void;

const parts = {
  async skew(progress: Progress, { records, rounds }: typeof options): Promise<Part> {
    const { figures, ratios, othersDoneAt } = await skew(progress, { records, rounds });
    return {
      figures,
      ratios,
      goals: {
        'skewed: all but the largest partition are done, of the time since the first commit': {
          is: othersDoneAt,
          atMost: 0.25,
        },
      },
    };
  },
  async many(progress: Progress, { rounds }: typeof options): Promise<Part> {
    const figures: Record<string, Spread> = {};
    const goals: Record<string, Goal> = {};
    for (const tasks of [100, 200]) {
      const { firstMs, allMs, againMs, stopMs, idlePercent, rssMib } = await manyTasks(progress, tasks, rounds);
      figures[`${tasks} tasks: ms until the first has committed`] = firstMs;
      figures[`${tasks} tasks: ms until all have`] = allMs;
      figures[`${tasks} tasks: ms until all have, from checkpoints`] = againMs;
      figures[`${tasks} tasks: ms to stop`] = stopMs;
      figures[`${tasks} tasks: MiB resident`] = rssMib;
      figures[`${tasks} tasks: % of a core, idle`] = idlePercent;
      if (tasks === 100) goals['100 idle tasks: % of a core'] = { is: idlePercent, atMost: 2 };
    }
    return { figures, ratios: {}, goals };
  },
  async group(progress: Progress, { members, tasks, rounds }: typeof options): Promise<Part> {
    const group = await groupOf(progress, { members, tasks, rounds });
    return {
      figures: {
        'group: ms until all tasks have an owner': group.joinedMs,
        'group: ms of a rebalance, one leaves': group.leftMs,
        'group: ms of a rebalance, one comes': group.cameMs,
        'group: ms until all tasks of a real process have committed': group.processMs,
      },
      ratios: {},
      goals: {
        'tasks that move to a member that comes': { is: group.movedToNew, atMost: Math.floor(tasks / members) },
        'tasks of others that move when one leaves': { is: group.movedOnLeave, atMost: 0 },
      },
    };
  },
};

export const benchmark: Benchmark<typeof options> = async (progress, given) => {
  const names = Object.keys(parts).filter((name) => given.only === '' || name === given.only);
  if (names.length === 0) throw new Error(`--only takes ${Object.keys(parts).join(', ')}`);
  const found: Part[] = [];
  for (const name of names) found.push(await parts[name as keyof typeof parts](progress, given));
  return {
    unit: 'as named',
    figures: Object.assign({}, ...found.map(({ figures }) => figures)),
    ratios: Object.assign({}, ...found.map(({ ratios }) => ratios)),
    goals: Object.assign({}, ...found.map(({ goals }) => goals)),
  };
};
