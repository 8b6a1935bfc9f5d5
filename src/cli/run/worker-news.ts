import { DurationHistogram, type RunSnapshot } from '../../runtime/index.js';

/** What one process of several tells the one that started it. */
export type WorkerNews = JoinedNews | ProgressNews;

/** What the group calls it: with that name it can be taken out of the group when it dies. */
export interface JoinedNews {
  readonly kind: 'joined';
  readonly memberId: string;
  /** Whose tasks the group shares out: each stage of a topology has a group of its own. */
  readonly stage: string;
}

export interface ProgressNews {
  readonly kind: 'progress';
  readonly tasks: RunSnapshot['tasks'];
  readonly latency: { readonly counts: readonly number[]; readonly total: number; readonly sumMs: number };
}

/**
 * One snapshot of a run out of those of its processes. A task that moved is told of by several: the one that has come
 * furthest counts, since a task's counters move with it.
 */
export function together(progress: Iterable<ProgressNews>): RunSnapshot {
  const tasks = new Map<string, RunSnapshot['tasks'][number]>();
  const latency = new DurationHistogram();
  for (const news of progress) {
    for (const task of news.tasks) {
      const key = `${task.stage}/${task.partition}`;
      if ((tasks.get(key)?.epoch ?? -1) <= task.epoch) tasks.set(key, task);
    }
    latency.add(Object.assign(new DurationHistogram(), news.latency));
  }
  const counters = new Map<string, { step: string; name: string; value: number }>();
  for (const { step, name, value } of [...tasks.values()].flatMap((task) => task.counters)) {
    const sum = counters.get(`${step}/${name}`);
    if (sum) sum.value += value;
    else counters.set(`${step}/${name}`, { step, name, value });
  }
  return {
    tasks: [...tasks.values()].sort((a, b) =>
      a.stage === b.stage ? a.partition - b.partition : a.stage < b.stage ? -1 : 1,
    ),
    counters: [...counters.values()],
    measures: [],
    outages: [],
    care: [],
    standbys: [],
    throttledMs: 0,
    latency,
    busyMs: new Map(),
  };
}
