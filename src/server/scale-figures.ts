import type { RunSnapshot } from '../runtime/index.js';
import { isRestoring } from './health.js';

/** How far a process is behind, and how fast it reads. */
export interface ScaleFigures {
  /** Of its tasks, behind the ends of their logs; `null` where no source can tell. */
  readonly recordsBehind: number | null;
  /** Over the last ten seconds or more; `null` while tasks are restored, and if nobody has asked for a minute. */
  readonly recordsPerSecond: number | null;
}

/** What the tasks had read at a time. */
interface Sample {
  readonly atMs: number;
  readonly read: ReadonlyMap<string, number>;
}

const APART_MS = 5_000;
const WINDOW_MS = 10_000;
/** Autoscalers ask a few times a minute. */
const OLD_MS = 60_000;

/**
 * Measures how fast a process reads, between one call and the next ones, so it costs nothing while nobody asks. What a task has read
 * in another process does not count.
 *
 * Memory: a number for each task, at most twelve times.
 *
 * @example
 * const figures = scaleFigures(running.snapshot);
 * figures(); // { recordsBehind: 1200, recordsPerSecond: 4000 }
 */
export function scaleFigures(
  snapshot: () => RunSnapshot,
  nowMs: () => number = () => performance.now(),
): () => ScaleFigures {
  // Nothing has been read here at the start.
  let samples: readonly Sample[] = [{ atMs: nowMs(), read: new Map() }];
  return () => {
    const atMs = nowMs();
    const run = snapshot();
    const { tasks } = run;
    const lags = tasks.flatMap(({ lag }) => Object.values(lag));
    samples = samples.filter((sample) => sample.atMs >= atMs - OLD_MS);
    const first = samples.findLast((sample) => sample.atMs <= atMs - WINDOW_MS) ?? samples[0];
    const isKnown = first !== undefined && first.atMs < atMs && !isRestoring(run);
    const figures = {
      recordsBehind: lags.length === 0 ? null : sumOf(lags),
      recordsPerSecond: isKnown ? readSince(first, tasks) / ((atMs - first.atMs) / 1_000) : null,
    };
    if ((samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) <= atMs - APART_MS)
      samples = [...samples, { atMs, read: new Map(tasks.map((task) => [idOf(task), readIn(task, 'value')])) }];
    return figures;
  };
}

type Task = RunSnapshot['tasks'][number];

const readSince = ({ read }: Sample, tasks: readonly Task[]): number =>
  sumOf(tasks.map((task) => readIn(task, 'value') - Math.max(readIn(task, 'restored'), read.get(idOf(task)) ?? 0)));

const readIn = ({ counters }: Task, which: 'value' | 'restored'): number =>
  sumOf(counters.filter(({ name }) => name === 'read').map((counter) => counter[which]));

const idOf = ({ subtopology, partition }: Task): string => `${subtopology}/${partition}`;
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
