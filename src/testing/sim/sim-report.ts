import type { Fault } from './chaos.js';

export interface SimOptions {
  /** The approximate number of records; by default drawn from the seed. */
  readonly records?: number;
  /** Faults, by their number in the trace, that do not occur: for finding those that matter. */
  readonly leaveOut?: ReadonlySet<number>;
}

export interface SimReport {
  readonly scenario: string;
  readonly seed: number;
  /** Records in the logs. */
  readonly records: number;
  /** Records that sources delivered, with replays. */
  readonly delivered: number;
  readonly struck: Readonly<Record<Fault, number>>;
  /** Faults drawn, with those left out. */
  readonly faults: number;
  readonly epochs: number;
  /** Turns of the event loop, and started processes. */
  readonly turns: number;
  readonly processes: number;
  /** The violation; `undefined` if there is none. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
}
