import type { Duration } from '../../core/duration.js';

/** How outcomes (later records that say how a row ended) are matched with their rows. */
export interface OutcomeOptions<Row, Outcome, V extends string> {
  /** The key of a row. */
  readonly key: (row: Row) => string | number;
  /** The key of the row that an outcome belongs to. */
  readonly outcomeKey: (outcome: Outcome) => string | number;
  /** The numbers that rolling features average. If one is not a number, or beyond 1e50, the outcome is rejected. */
  readonly values: { readonly [P in V]: (outcome: Outcome) => number };
  /** How long a row waits for its outcome, in event time. */
  readonly wait: Duration;
  /** Maximum number of waiting rows; the oldest is dropped first. */
  readonly pendingMax: number;
  /** Maximum number of groups per column; the one with the oldest last outcome is dropped first. 10,000 by default. */
  readonly groupsMax?: number;
}
