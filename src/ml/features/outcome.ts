import type { Duration } from '../../core/duration.js';

/** How what became of a row finds its way back to it. */
export interface OutcomeOptions<Row, Outcome, V extends string> {
  /** Identity of a row. */
  readonly key: (row: Row) => string | number;
  /** Identity of the row that an outcome speaks of. */
  readonly outcomeKey: (outcome: Outcome) => string | number;
  /** The numbers that rolling features average. An outcome with one that is not finite is rejected whole. */
  readonly values: { readonly [P in V]: (outcome: Outcome) => number };
  /** How long a row waits for its outcome, in event time. */
  readonly wait: Duration;
  /** Rows that wait at most; the oldest makes room. */
  readonly pendingMax: number;
  /** Groups kept of each grouping; the one whose last outcome is the oldest makes room. 10,000 by default. */
  readonly groupsMax?: number;
}
