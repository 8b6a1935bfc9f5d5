import type { Taken } from '../skip.js';

/** An event that some run took. */
export type Held = readonly [timeMs: number, event: unknown];

/** A match that has begun: what it took, and where it may go next. */
export interface Run extends Taken {
  /** Event time of its first event. */
  readonly startMs: number;
  readonly ids: readonly number[];
  readonly stages: readonly number[];
  /** A bit for each target after its last stage that is still open. */
  live: number;
  /** An event has come since the last one that it took. */
  waited: boolean;
  /** It has been a match already; what it may become further is not missed when its time is over. */
  matched: boolean;
}

/** Everything that is held of a key: plain data, for a cell. */
export interface KeyRuns {
  /** Number of the first event held; the others count on from there. */
  firstId: number;
  events: Held[];
  /** In the order of their first events; of one first event, what took its next event earlier stands first. */
  runs: Run[];
  /** Matches that wait for runs that began earlier: in the order of their first events, then as they were complete. */
  done: Taken[];
  /** When the key's timer is set for. */
  timerMs: number;
}

export const noRuns = (): KeyRuns => ({ firstId: 0, events: [], runs: [], done: [], timerMs: Number.NaN });

/** Drops events that nothing holds any more; what was made of them must have been read before. */
export function forgetEvents(key: KeyRuns): void {
  const [run, match] = [key.runs[0], key.done[0]];
  const first = Math.min(run?.ids[0] ?? Number.POSITIVE_INFINITY, match?.ids[0] ?? Number.POSITIVE_INFINITY);
  const gone = Math.min(key.events.length, first - key.firstId);
  if (gone <= 0) return;
  key.events.splice(0, gone);
  key.firstId += gone;
}

/** When an event that something holds happened. */
export const timeOf = ({ events, firstId }: KeyRuns, id: number): number => (events[id - firstId] as Held)[0];
