import type { RunSnapshot } from '../runtime/index.js';
import { countsOf, type RunCount } from './run-counts.js';
import { concernsOf, findings, type RunShares } from './run-shares.js';

/** What stands in the way of a run. */
export interface Health {
  /** `degraded`: it runs, and cannot write everything that it should. */
  readonly status: 'ok' | 'degraded' | 'stopped';
  readonly sinksDown: readonly { readonly sink: string; readonly seconds: number; readonly cause: string }[];
  /** Whether somebody has paused the run, which does not change the status. */
  readonly isPaused: boolean;
  /** Tasks that have records and hold them back for an input that brings none: right, unless it should bring some. */
  readonly waiting: readonly { readonly subtopology: string; readonly partition: number; readonly input: string }[];
  /** Tasks restored from their checkpoints since the start, and how many of them had hung. */
  readonly restarts: number;
  readonly stalls: number;
  /** What tasks have counted since they were opened, as shares from 0 to 1. They do not change the status. */
  readonly shares: RunShares;
  /** Shares above their usual limits, and inputs of labels of which nothing ever matched, as sentences. */
  readonly warnings: readonly string[];
}

/** What stands in the way of a run, in one object. */
export function healthOf(
  { outages, health, tasks, isPaused }: RunSnapshot,
  isReady: boolean,
  nowMs: number,
  counts: readonly RunCount[] = countsOf(tasks),
): Health {
  const found = findings(counts);
  return {
    status: !isReady ? 'stopped' : outages.length > 0 ? 'degraded' : 'ok',
    sinksDown: outages.map(({ sink, sinceMs, cause }) => ({
      sink,
      seconds: Math.round((nowMs - sinceMs) / 1_000),
      cause,
    })),
    isPaused,
    waiting: health.flatMap(({ subtopology, partition, waitsFor }) =>
      waitsFor === undefined ? [] : [{ subtopology, partition, input: waitsFor }],
    ),
    restarts: health.reduce((sum, { restarts }) => sum + restarts, 0),
    stalls: health.reduce((sum, { stalls }) => sum + stalls, 0),
    shares: found.shares,
    warnings: concernsOf(found),
  };
}

type Opened = Pick<RunSnapshot, 'health' | 'tasks'>;

/** The tasks of this process that have not been opened yet. */
export const unopenedTasks = ({ health, tasks }: Opened): RunSnapshot['health'] =>
  health.filter(
    ({ subtopology, partition }) =>
      !tasks.some((task) => task.subtopology === subtopology && task.partition === partition),
  );

/** Whether a task has not been opened yet, or the start still waits for a sink. */
export const isRestoring = (run: Opened & Pick<RunSnapshot, 'outages'>): boolean =>
  unopenedTasks(run).length > 0 || (run.tasks.length + run.health.length === 0 && run.outages.length > 0);
