import type { Fault } from './chaos.js';

export interface SimOptions {
  /** About how many records there are in all; drawn from the seed by default. */
  readonly records?: number;
  /** Faults, by their number in the trace, that do not strike: to find out which ones matter. */
  readonly leaveOut?: ReadonlySet<number>;
}

export interface SimReport {
  readonly scenario: string;
  readonly seed: number;
  /** Records in the logs. */
  readonly records: number;
  /** Records that sources delivered, replays included. */
  readonly delivered: number;
  readonly struck: Readonly<Record<Fault, number>>;
  /** Faults drawn, those left out included. */
  readonly faults: number;
  readonly epochs: number;
  /** Turns of the event loop, and processes that were started. */
  readonly turns: number;
  readonly processes: number;
  /** Why the promise is broken; `undefined` where all is as it must be. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
}
