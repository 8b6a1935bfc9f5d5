import type { RunSnapshot } from '../runtime/index.js';
import { subtopologiesOf, type Topology } from '../topology/index.js';
import { unopenedTasks } from './health.js';

/** One source in one task. */
export interface InputFigures {
  readonly source: string;
  readonly subtopology: string;
  readonly task: number;
  /** Whether the task is open; nothing else is known otherwise. */
  readonly isOpen: boolean;
  /** The next offset to read; `null` before the task is open. */
  readonly position: number | null;
  /** Records behind the end of the log; `null` where the source cannot tell. */
  readonly lag: number | null;
  /** By how many a second it grows, or shrinks, as in the last 30 seconds. */
  readonly lagRate: number;
  /** From the event time of the next record to now; 0 at the end of the log, `null` where it is not known. */
  readonly lagSeconds: number | null;
  readonly watermarkMs: number | null;
  readonly inFlight: number;
  readonly epoch: number;
  /** Whether the task holds records back for this input, which brings none. */
  readonly isWaitedFor: boolean;
}

/** The most rows of a list: the page is for looking, `/metrics` has everything. */
export const ROWS_MAX = 200;
/** What is left of a backlog should not be told anew each second. */
const LAG_SECONDS = 30;

/** The weight of the newest of values that are smoothed over a time. */
export const smoothing = (seconds: number, over: number): number => 1 - Math.exp(-seconds / over);

/**
 * The inputs of a run, and how fast each falls behind or catches up since the call before.
 *
 * Memory: two numbers for each input.
 */
export class InputLags {
  private before = new Map<string, LagThen>();
  /** By sub-topology. */
  private readonly sources: ReadonlyMap<string, readonly string[]>;

  constructor(topology: Topology) {
    const parts = subtopologiesOf(topology);
    this.sources = new Map(parts.map(({ name, sources }) => [name, sources.map(({ id }) => id)]));
  }

  /** `seconds` have passed since the last call, if there was one. */
  next(snapshot: RunSnapshot, atMs: number, seconds: number): InputFigures[] {
    const now = new Map<string, LagThen>();
    const inputs = snapshot.tasks.flatMap((task) => {
      const { subtopology, partition, positions, lag, unreadMs, watermarkMs, recordsInFlight, epoch } = task;
      return [...new Set([...Object.keys(positions), ...Object.keys(lag)])].map((source): InputFigures => {
        const behind = lag[source] ?? null;
        const key = `${subtopology}/${partition}/${source}`;
        const rate = rateOf(this.before.get(key), behind, seconds);
        now.set(key, { lag: behind, rate });
        return {
          ...{ source, subtopology, task: partition, isOpen: true, position: positions[source]?.offset ?? 0 },
          lag: behind,
          lagRate: rate ?? 0,
          lagSeconds: lagSecondsOf(behind, unreadMs[source], atMs),
          watermarkMs: Math.abs(watermarkMs) < 8.64e15 ? watermarkMs : null,
          inFlight: recordsInFlight,
          epoch,
          isWaitedFor: snapshot.health.some(
            (each) => each.subtopology === subtopology && each.partition === partition && each.waitsFor === source,
          ),
        };
      });
    });
    this.before = now;
    return [...inputs, ...this.unopened(snapshot)];
  }

  private unopened(snapshot: RunSnapshot): InputFigures[] {
    return unopenedTasks(snapshot).flatMap(({ subtopology, partition: task }) =>
      (this.sources.get(subtopology) ?? []).map((source) => ({
        ...{ source, subtopology, task, isOpen: false, position: null, lag: null, lagRate: 0, lagSeconds: null },
        ...{ watermarkMs: null, inFlight: 0, epoch: 0, isWaitedFor: false },
      })),
    );
  }
}

/** How far an input is behind in time; `null` where it is not known. */
export const lagSecondsOf = (lag: number | null, unreadMs: number | undefined, nowMs: number): number | null =>
  lag === 0 ? 0 : unreadMs === undefined ? null : Math.max(0, (nowMs - unreadMs) / 1_000);

interface LagThen {
  readonly lag: number | null;
  /** Before two lags are known there is none. */
  readonly rate: number | undefined;
}

function rateOf(before: LagThen | undefined, lag: number | null, seconds: number): number | undefined {
  if (!before || before.lag === null || lag === null || seconds === 0) return before?.rate;
  const now = (lag - before.lag) / seconds;
  return before.rate === undefined ? now : before.rate + smoothing(seconds, LAG_SECONDS) * (now - before.rate);
}

/** Of all inputs together: records are added, and the time is that of the one which is furthest behind. */
export function lagOf(inputs: readonly Pick<InputFigures, 'lag' | 'lagRate' | 'lagSeconds'>[]) {
  const known = inputs.filter(({ lag }) => lag !== null);
  const times = inputs.flatMap(({ lagSeconds }) => lagSeconds ?? []);
  return {
    lag: known.length === 0 ? null : known.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
    lagRate: known.reduce((sum, { lagRate }) => sum + lagRate, 0),
    lagSeconds: times.length === 0 ? null : Math.max(...times),
  };
}

export const rowsLeft = (rows: readonly unknown[]): number => Math.max(0, rows.length - ROWS_MAX);

/** As many as fit, by task: an order that stays. */
export const furthestBehind = (inputs: readonly InputFigures[]): InputFigures[] =>
  most(inputs, ROWS_MAX, ({ lag }) => lag ?? 0);

/** The rows that rank highest, by task. */
export function most<Row extends { readonly task: number }>(
  rows: readonly Row[],
  rowsMax: number,
  rank: (row: Row) => number,
): Row[] {
  const kept = new Set(rows.toSorted((a, b) => rank(b) - rank(a)).slice(0, rowsMax));
  return rows.filter((row) => kept.has(row)).sort((a, b) => a.task - b.task);
}
