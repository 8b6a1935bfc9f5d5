import { DurationHistogram, type RunSnapshot } from '../../runtime/index.js';

/** What one process of several tells the one that started it. */
export type WorkerNews = JoinedNews | ProgressNews;

/** What the group calls it: with that name it can be taken out of the group when it dies. */
export interface JoinedNews {
  readonly kind: 'joined';
  readonly memberId: string;
  /** Whose tasks the group shares out: each sub-topology of a topology has a group of its own. */
  readonly subtopology: string;
}

export interface ProgressNews {
  readonly kind: 'progress';
  readonly tasks: RunSnapshot['tasks'];
  readonly latency: { readonly counts: readonly number[]; readonly total: number; readonly sumMs: number };
}

/** The latencies of several processes as one histogram. */
export function latencyOf(progress: Iterable<ProgressNews>): DurationHistogram {
  const all = new DurationHistogram();
  for (const { latency } of progress) all.add(Object.assign(new DurationHistogram(), latency));
  return all;
}
