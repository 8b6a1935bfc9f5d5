import type { Position } from '../../core/index.js';
import type { CounterEntry } from '../task-state.js';
import type { EpochTimes } from './epoch-meter.js';
import type { LastError } from './last-errors.js';
import type { TaskTime } from './task-meter.js';

/** The visible state of a running task. */
export interface TaskSnapshot {
  /** The topology or sub-topology of the task. */
  readonly subtopology: string;
  readonly partition: number;
  readonly epoch: number;
  readonly positions: Readonly<Record<string, Position>>;
  /** Entries of the logs that it has not read, by the keys of the positions; without sources that cannot tell. */
  readonly lag: Readonly<Record<string, number>>;
  /**
   * The event time of the next record to read, by the keys of the positions; before that record is polled, the event time that was reached.
   * Without inputs that are at the end, and those of which neither is known.
   */
  readonly unreadMs: Readonly<Record<string, number>>;
  readonly watermarkMs: number;
  readonly recordsInFlight: number;
  /** When it read the first record that no checkpoint has, which is read again if it fails; `undefined` if there is none. */
  readonly uncommittedSinceMs: number | undefined;
  /** It reads nothing, and all that it has read is committed: the run is paused, or the task has ended. */
  readonly isAtRest: boolean;
  /** Sinks, batched steps and the checkpoint with operations in flight, and how long they have made no progress. */
  readonly pending: readonly {
    readonly kind: 'sink' | 'step' | 'ledger';
    readonly id: string;
    readonly silentMs: number;
  }[];
  readonly time: TaskTime;
  readonly epochs: EpochTimes;
  /** By step: what the last checkpoint has of its state, encoded. */
  readonly stateBytes: ReadonlyMap<string, number>;
  /** Steps with state queries. */
  readonly queryable: readonly string[];
  /** By step: its newest dead letters since the task was opened, at most five. */
  readonly errors: ReadonlyMap<string, readonly LastError[]>;
  /** Cumulative; part of the checkpoint, so they move with the task. */
  readonly counters: readonly CounterEntry[];
}
